//! Isolation, proved: every root field of the schema, and every field that leads to another object, is asked for by
//! everybody who may knock.
//!
//! The calls are generated from `api/schema.graphql` ([`documents`]). Who may do what is read from the server's table of
//! permissions; [`expectations`] only names the permission of each field. A new field without a line there fails here.

mod asking;
mod callers;
mod contract;
mod documents;
mod expectations;
mod objects;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::TestDatabase;

use self::asking::{Answer, all, ask, check, is_excused};
use self::callers::{Caller, Expected, Standing};
use self::contract::{Contract, ROOTS};
use self::documents::Call;
use self::expectations::ENDS_SESSION;
use self::objects::absent;
use self::world::World;

tests::on_both_databases!(
    callers_do_what_the_table_says,
    what_is_somebody_elses_is_absent,
    an_answer_leads_no_further_than_its_caller_may_go,
);

#[test]
fn every_field_has_an_expectation() -> Result<()> {
    expectations::check(&Contract::read()?)
}

/// Every root field, and `node` for every kind.
fn calls(contract: &Contract) -> Result<Vec<Call>> {
    let mut calls = Vec::new();
    for root in ROOTS {
        for field in contract.fields(root).iter().filter(|field| field.name != "node") {
            calls.push(contract.call(root, field)?);
        }
    }
    for kind in contract.nodes() {
        calls.push(contract.call_node(&kind)?);
    }
    Ok(calls)
}

async fn callers_do_what_the_table_says(database: TestDatabase) -> Result<()> {
    let (world, contract) = (World::new(database).await?, Contract::read()?);
    let calls = calls(&contract)?;
    let (insiders, nobodies, suspended) = (world.insiders().await?, world.nobodies(), world.suspended());
    let everybody = || nobodies.iter().chain(&insiders).chain([&suspended]);
    let pairs = || everybody().flat_map(|caller| calls.iter().map(move |call| (caller, call)));
    let is_refused = |caller: &Caller, call: &Call| caller.standing.expected(&call.coordinate) != Expected::Allowed;

    // Whoever may not, may not with objects that exist; and it leaves no trace.
    let before = everything(&world, &contract).await?;
    let refused = pairs().filter(|(caller, call)| is_refused(caller, call));
    all(refused.map(|(caller, call)| {
        let household = if caller.standing == Standing::Suspended {
            &world.suspended
        } else {
            &world.ours
        };
        check(caller, call, &household.objects)
    }))
    .await?;
    let after = everything(&world, &contract).await?;
    for (field, value) in &before {
        ensure!(
            after.get(field) == Some(value),
            "{field} changed though everybody was refused"
        );
    }

    // Whoever may, is not told FORBIDDEN but that there is nothing: the permission is asked first.
    let ends = |caller: &Caller, call: &Call| {
        ENDS_SESSION.contains(&call.field.as_str()) && caller.standing != Standing::Nobody
    };
    let allowed = pairs().filter(|(caller, call)| !is_refused(caller, call) && !ends(caller, call));
    let ids: Vec<_> = allowed
        .map(|(caller, call)| (caller, call, absent(&call.kinds())))
        .collect();
    all(ids.iter().map(|(caller, call, ids)| check(caller, call, ids))).await?;

    // A suspended tenant reads what it has.
    let reads = calls.iter().filter(|call| call.coordinate.starts_with("Query."));
    let reads = reads.filter(|call| !is_refused(&suspended, call));
    all(reads.map(|call| finds(&suspended, call, &world.suspended.objects))).await?;

    // The calls are valid: with objects that exist their owner, or an operator, is told of no mistake.
    let owner = insiders.first().context("no owner")?.clone();
    let operator = world.operator();
    let (last, others): (Vec<&Call>, Vec<&Call>) = calls
        .iter()
        .partition(|call| ENDS_SESSION.contains(&call.field.as_str()));
    let owner = Caller {
        client: world.ours.owner.clone(),
        ..owner
    };
    let told_of_no_mistake = |call: &'_ &Call| {
        let call: Call = (*call).clone();
        let caller = if is_refused(&owner, &call) { &operator } else { &owner };
        let world = &world;
        async move {
            let call = &call;
            if !call.coordinate.starts_with("Mutation.") {
                return finds(caller, call, &world.ours.objects).await;
            }
            let ids = world.make_all(&world.ours, &call.kinds()).await?;
            let answer = ask(&caller.client, call, call.with(&ids)).await?;
            let mistakes = [
                "NOT_FOUND",
                "INVALID_INPUT",
                "INVALID_PHONE_NUMBER",
                "INVALID_CREDENTIALS",
                "SESSION_EXPIRED",
            ];
            let told = answer.declined.as_deref().unwrap_or_default();
            let is_mistake = mistakes.contains(&told) && !is_excused(&call.field, told);
            let complaint = answer.complaint(Expected::Allowed, &call.field);
            let complaint =
                complaint.or_else(|| is_mistake.then(|| format!("calls with valid arguments, but: {answer}")));
            Ok(complaint.map(|complaint| format!("{}: {} {complaint}", call.coordinate, caller.name)))
        }
    };
    all(others.iter().map(told_of_no_mistake)).await?;
    all(last.iter().map(told_of_no_mistake)).await
}

/// A query finds what its ids name.
async fn finds(caller: &Caller, call: &Call, ids: &BTreeMap<String, String>) -> Result<Option<String>> {
    let answer = ask(&caller.client, call, call.with(ids)).await?;
    let missing = !call.kinds().is_empty() && answer.value.is_null();
    let complaint = answer.complaint(Expected::Allowed, &call.field);
    let complaint = complaint.or_else(|| missing.then(|| "finds nothing of its own".to_owned()));
    Ok(complaint.map(|complaint| format!("{}: {} {complaint}", call.coordinate, caller.name)))
}

/// Everything that our owner sees, without when programs were last used.
async fn everything(world: &World, contract: &Contract) -> Result<BTreeMap<String, Value>> {
    let mut seen = BTreeMap::new();
    for call in calls(contract)? {
        let standing = Standing::Role(entity::membership::Role::Owner);
        let asks_for_all = call.coordinate.starts_with("Query.") && call.field != "node" && call.field != "sessions";
        if !asks_for_all || standing.expected(&call.coordinate) != Expected::Allowed {
            continue;
        }
        let answer = ask(&world.ours.owner, &call, call.with(&world.ours.objects)).await?;
        ensure!(answer.refused.is_none(), "{}: {answer}", call.coordinate);
        let mut value = answer.value;
        if let Some(tokens) = value.get_mut("nodes").and_then(Value::as_array_mut) {
            tokens.iter_mut().filter_map(Value::as_object_mut).for_each(|token| {
                token.retain(|name, _| !name.starts_with("lastUsed"));
            });
        }
        seen.insert(call.coordinate.clone(), value);
    }
    Ok(seen)
}

/// An answer with its ids taken out, so that two can be compared.
fn without_ids(answer: &Answer, ids: &BTreeMap<String, String>) -> String {
    let mut text = answer.to_string();
    for (kind, id) in ids {
        text = text.replace(id.as_str(), &format!("‹{kind}›"));
    }
    text
}

async fn what_is_somebody_elses_is_absent(database: TestDatabase) -> Result<()> {
    let (world, contract) = (World::new(database).await?, Contract::read()?);
    let calls = calls(&contract)?;
    let strangers = world.strangers();
    let before = everything(&world, &contract).await?;
    let pairs = strangers
        .iter()
        .flat_map(|caller| calls.iter().map(move |call| (caller, call)));
    let pairs = pairs.filter(|(caller, call)| {
        let is_platform = expectations::rule(&call.coordinate) == Some(expectations::Rule::Operator);
        let is_operators = is_platform && caller.standing == Standing::Operator;
        !is_operators && !ENDS_SESSION.contains(&call.field.as_str())
    });
    let marks = world.ours.marks();
    let (world_ref, marks_ref) = (&world, &marks);
    all(pairs.map(|(caller, call)| async move {
        let (real, none) = (&world_ref.ours.objects, absent(&call.kinds()));
        let foreign = ask(&caller.client, call, call.with(real)).await?;
        let who = format!("{}: {}", call.coordinate, caller.name);
        if let Some(complaint) = foreign.complaint(caller.standing.expected(&call.coordinate), &call.field) {
            return Ok(Some(format!("{who} {complaint}")));
        }
        let told = without_ids(
            &foreign,
            &call
                .kinds()
                .iter()
                .filter_map(|kind| real.get_key_value(kind))
                .map(|(kind, id)| (kind.clone(), id.clone()))
                .collect(),
        );
        if let Some(mark) = marks_ref.iter().find(|mark| told.contains(**mark)) {
            return Ok(Some(format!("{who} is shown {mark}: {told}")));
        }
        if call.kinds().is_empty() {
            return Ok(None);
        }
        let absent = ask(&caller.client, call, call.with(&none)).await?;
        let absent = without_ids(&absent, &none);
        Ok((told != absent)
            .then(|| format!("{who} can tell what is foreign:\n  {told}\nfrom what is absent:\n  {absent}")))
    }))
    .await?;
    let after = everything(&world, &contract).await?;
    for (field, value) in &before {
        ensure!(after.get(field) == Some(value), "{field} was changed by strangers");
    }
    codes_to_scan_are_the_owners(&world).await?;
    strangers_hear_nothing(&world, &contract).await
}

/// What is served beside GraphQL.
async fn codes_to_scan_are_the_owners(world: &World) -> Result<()> {
    let none = absent(&["Device".to_owned()]);
    for form in ["qr", "qr.png", "qr.svg"] {
        let path = |ids: &BTreeMap<String, String>| format!("/devices/{}/{form}", ids["Device"]);
        for caller in world.strangers() {
            let foreign = caller.client.get(&path(&world.ours.objects)).await?;
            let absent = caller.client.get(&path(&none)).await?;
            ensure!(
                foreign == absent && foreign.0 == 404,
                "{form} by {}: {}",
                caller.name,
                foreign.0
            );
        }
        for caller in world.nobodies() {
            let (status, _) = caller.client.get(&path(&world.ours.objects)).await?;
            ensure!(status == 401, "{form} by {}: {status}", caller.name);
        }
    }
    Ok(())
}

/// Our changes are heard by nobody else, though they listen for our ids.
async fn strangers_hear_nothing(world: &World, contract: &Contract) -> Result<()> {
    let rename = "mutation($id: ID!) { updateDevice(input: { id: $id, name: \"Renamed\" }) { userErrors { code } } }";
    let stranger = &world.theirs.owner;
    let mut lines = Vec::new();
    for field in contract
        .fields("Subscription")
        .iter()
        .filter(|field| !field.name.starts_with("sandbox"))
    {
        let call = contract.call("Subscription", field)?;
        let live = stranger
            .subscribe(&call.document, call.with(&world.ours.objects))
            .await?;
        lines.push((field.name.clone(), live));
    }
    let mut own = stranger
        .subscribe("subscription { deviceUpdated { id } }", json!({}))
        .await?;
    own.settled().await?;
    for (client, household) in [(&world.ours.owner, &world.ours), (stranger, &world.theirs)] {
        let id = json!({ "id": household.objects["Device"] });
        client.mutate(rename, id, "updateDevice").await?;
    }
    let heard = tokio::time::timeout(Duration::from_secs(20), own.next()).await??;
    ensure!(
        heard["deviceUpdated"]["id"] == world.theirs.objects["Device"],
        "{heard}"
    );
    for (name, mut live) in lines {
        let heard = live.settled().await?;
        ensure!(
            heard.is_empty(),
            "a stranger who listens to {name} of our objects hears {heard:?}"
        );
    }
    Ok(())
}

async fn an_answer_leads_no_further_than_its_caller_may_go(database: TestDatabase) -> Result<()> {
    let (world, contract) = (World::new(database).await?, Contract::read()?);
    let mut callers = world.insiders().await?;
    callers.push(world.operator());
    let mut checks = Vec::new();
    for (of, field) in contract.relations() {
        let coordinate = format!("{of}.{}", field.name);
        for caller in &callers {
            let may = |coordinate: &str| caller.standing.may(coordinate);
            if let Some(call) = contract.way_to(&of, &field, &may)? {
                checks.push((
                    caller,
                    Call {
                        coordinate: coordinate.clone(),
                        ..call
                    },
                ));
            }
        }
    }
    ensure!(checks.len() > 200, "only {} ways were found", checks.len());
    let refused = checks
        .iter()
        .filter(|(caller, call)| !caller.standing.may(&call.coordinate))
        .count();
    ensure!(refused > 5, "only {refused} ways end at a field that is refused");
    let world = &world;
    all(checks.iter().map(|(caller, call)| async move {
        // The operator's own household is the first tenant, which has nothing; what it may see is asked for all the same.
        let ids = if call.document.starts_with("mutation") {
            world.make_all(&world.ours, &call.kinds()).await?
        } else {
            world.ours.objects.clone()
        };
        check(caller, call, &ids).await
    }))
    .await
}
