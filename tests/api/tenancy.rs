//! Tenants change themselves, within their limits, unless they are suspended.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Client, Customer, TestApp, TestDatabase, eventually};

tests::on_both_databases!(
    settings_are_changed_and_checked,
    a_plan_limits_devices_however_many_ask_at_once,
    an_override_wins_over_the_plan,
    overrides_are_read_by_operators_and_by_those_who_manage_the_tenant,
    a_suspended_tenant_reads_and_changes_nothing,
    a_suspension_is_told_once_by_an_event_and_in_the_log,
    warnings_come_once,
);

const CREATE: &str =
    "mutation { createDevice(input: { name: \"D\" }) { device { id } userErrors { code retryAt details } } }";
const LIMITS: &str = "{ viewer { limits { meter limit used resetsAt } } tenant { limits { meter limit used } } }";

async fn own_tenant(client: &Client) -> Result<String> {
    let data = client.query("{ tenant { id } }", json!({})).await?;
    Ok(data["tenant"]["id"].as_str().context("no tenant")?.to_owned())
}

async fn make_plan(client: &Client, limits: Value) -> Result<String> {
    let document =
        "mutation($input: CreatePlanInput!) { createPlan(input: $input) { plan { id } userErrors { code } } }";
    let input = json!({ "input": { "name": "Small", "limits": limits } });
    let payload = client.mutate(document, input, "createPlan").await?;
    Ok(payload["plan"]["id"].as_str().context("no plan")?.to_owned())
}

async fn change_tenant(client: &Client, mut input: Value) -> Result<Value> {
    input["id"] = own_tenant(client).await?.into();
    let document = "mutation($input: UpdateTenantInput!) { updateTenant(input: $input) {
        tenant { plan { name } } userErrors { code message field } } }";
    client.mutate(document, json!({ "input": input }), "updateTenant").await
}

async fn limit_of(client: &Client, meter: &str) -> Result<Value> {
    let data = client.query(LIMITS, json!({})).await?;
    let limits = data["viewer"]["limits"].as_array().context("no limits")?.clone();
    let found = limits.into_iter().find(|limit| limit["meter"] == meter);
    found.with_context(|| format!("{meter} is not told"))
}

async fn settings_are_changed_and_checked(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let document = "mutation($input: UpdateTenantSettingsInput!) { updateTenantSettings(input: $input) {
        tenant { name defaultCountry defaultLanguage timeZone status } userErrors { code field } } }";
    let input = json!({ "input": { "name": " Toko Budi ", "defaultCountry": "sg", "defaultLanguage": "id", "timeZone": "Asia/Singapore" } });
    let payload = app.client.mutate(document, input, "updateTenantSettings").await?;
    ensure!(
        payload["tenant"]
            == json!({ "name": "Toko Budi", "defaultCountry": "SG", "defaultLanguage": "id",
                "timeZone": "Asia/Singapore", "status": "ACTIVE" }),
        "{payload}"
    );
    for (field, value) in [
        ("name", " "),
        ("defaultCountry", "XX"),
        ("defaultLanguage", "de"),
        ("timeZone", "Jakarta"),
    ] {
        let data = app.client.query(document, json!({ "input": { field: value } })).await?;
        let error = &data["updateTenantSettings"]["userErrors"][0];
        ensure!(
            error["code"] == "INVALID_INPUT" && error["field"] == json!([field]),
            "{field}: {error}"
        );
    }
    Ok(())
}

async fn a_plan_limits_devices_however_many_ask_at_once(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let plan = make_plan(&app.client, json!([{ "meter": "DEVICES", "limit": 5 }])).await?;
    change_tenant(&app.client, json!({ "planId": plan })).await?;
    let answers = futures::future::try_join_all((0..20).map(|_| app.client.query(CREATE, json!({})))).await?;
    let made = answers
        .iter()
        .filter(|data| !data["createDevice"]["device"].is_null())
        .count();
    ensure!(made == 5, "{made} devices were made");
    let refused = answers
        .iter()
        .find_map(|data| data["createDevice"]["userErrors"].get(0))
        .context("nobody was refused")?;
    ensure!(refused["code"] == "QUOTA_EXCEEDED", "{refused}");
    ensure!(
        refused["details"] == json!({ "meter": "DEVICES", "holder": "TENANT", "limit": 5, "used": 5 }),
        "{refused}"
    );
    let limit = limit_of(&app.client, "DEVICES").await?;
    ensure!(limit["limit"] == 5 && limit["used"] == 5, "{limit}");

    // A deleted device makes room.
    let devices = app
        .client
        .query("{ devices(first: 1) { nodes { id } } }", json!({}))
        .await?;
    let delete = "mutation($id: ID!) { deleteDevice(id: $id) { userErrors { code } } }";
    app.client
        .mutate(
            delete,
            json!({ "id": devices["devices"]["nodes"][0]["id"] }),
            "deleteDevice",
        )
        .await?;
    app.client.mutate(CREATE, json!({}), "createDevice").await?;

    let delete = "mutation($id: ID!) { deletePlan(id: $id) { deletedId userErrors { code } } }";
    let code = app.client.refused(delete, json!({ "id": plan }), "deletePlan").await?;
    ensure!(code == "CONFLICT", "a plan that is used was deleted: {code}");
    change_tenant(&app.client, json!({ "planId": null })).await?;
    app.client.mutate(CREATE, json!({}), "createDevice").await?;
    app.client.mutate(delete, json!({ "id": plan }), "deletePlan").await?;
    Ok(())
}

async fn an_override_wins_over_the_plan(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let plan = make_plan(
        &app.client,
        json!([{ "meter": "DEVICES", "limit": 1 }, { "meter": "MESSAGES_PER_DAY", "limit": 10 }]),
    )
    .await?;
    let overrides = json!([{ "meter": "DEVICES", "limit": 2 }, { "meter": "MESSAGES_PER_DAY", "limit": null },
        { "meter": "MEDIA_BYTES", "limit": 50_000_000_000_i64 }]);
    change_tenant(&app.client, json!({ "planId": plan, "limitOverrides": overrides })).await?;
    ensure!(limit_of(&app.client, "DEVICES").await?["limit"] == 2);
    ensure!(limit_of(&app.client, "MEDIA_BYTES").await?["limit"] == 50_000_000_000_i64);
    let messages = limit_of(&app.client, "MESSAGES_PER_DAY").await?;
    ensure!(messages["limit"].is_null() && messages["used"] == 0, "{messages}");
    let resets_at: chrono::DateTime<chrono::Utc> = messages["resetsAt"].as_str().context("no end")?.parse()?;
    ensure!(
        resets_at > app.clock.now() && resets_at.timestamp() % 86_400 == 17 * 3_600,
        "a day of Jakarta ends at 17:00 UTC: {messages}"
    );
    Ok(())
}

async fn a_suspended_tenant_reads_and_changes_nothing(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    app.client.mutate(CREATE, json!({}), "createDevice").await?;
    let id = own_tenant(&app.client).await?;
    let suspend = "mutation($input: SuspendTenantInput!) { suspendTenant(input: $input) {
        tenant { status suspensionReason } userErrors { code } } }";
    let input = json!({ "input": { "id": id, "reason": "unpaid" } });
    let payload = app.client.mutate(suspend, input.clone(), "suspendTenant").await?;
    ensure!(
        payload["tenant"] == json!({ "status": "SUSPENDED", "suspensionReason": "unpaid" }),
        "{payload}"
    );
    ensure!(app.client.refused(suspend, input, "suspendTenant").await? == "CONFLICT");

    let devices = app.client.query("{ devices { totalCount } }", json!({})).await?;
    ensure!(devices["devices"]["totalCount"] == 1, "{devices}");
    for document in [
        CREATE,
        "mutation { updateTenantSettings(input: { name: \"x\" }) { userErrors { code } } }",
    ] {
        let response = app.client.send(document, json!({})).await?;
        ensure!(response.code() == Some("TENANT_SUSPENDED"), "{response:?}");
    }

    let activate =
        "mutation($id: ID!) { activateTenant(id: $id) { tenant { status suspendedAt } userErrors { code } } }";
    let payload = app
        .client
        .mutate(activate, json!({ "id": id }), "activateTenant")
        .await?;
    ensure!(
        payload["tenant"] == json!({ "status": "ACTIVE", "suspendedAt": null }),
        "{payload}"
    );
    app.client.mutate(CREATE, json!({}), "createDevice").await?;
    Ok(())
}

async fn overrides_are_read_by_operators_and_by_those_who_manage_the_tenant(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let read = async |client: &Client| -> Result<Value> {
        let data = client
            .query("{ tenant { limitOverrides { meter limit } } }", json!({}))
            .await?;
        Ok(data["tenant"]["limitOverrides"].clone())
    };
    ensure!(read(&customer.owner).await? == json!([]), "nothing differs at first");
    let change = "mutation($input: UpdateTenantInput!) { updateTenant(input: $input) {
        tenant { limitOverrides { meter limit } } userErrors { code field } } }";
    let wish = |overrides: Value| json!({ "input": { "id": customer.id, "limitOverrides": overrides } });
    let agreed = json!([{ "meter": "DEVICES", "limit": 7 }, { "meter": "CONTACTS", "limit": null }]);
    let payload = app.client.mutate(change, wish(agreed.clone()), "updateTenant").await?;
    ensure!(payload["tenant"]["limitOverrides"] == agreed, "{payload}");
    ensure!(read(&customer.owner).await? == agreed);

    let operators = "query($id: ID!) { platform { tenant(id: $id) { limitOverrides { meter limit } } } }";
    let seen = app.client.query(operators, json!({ "id": customer.id })).await?;
    ensure!(seen["platform"]["tenant"]["limitOverrides"] == agreed, "{seen}");
    let create =
        "mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) { secret userErrors { code } } }";
    for (scope, allowed) in [("READ", false), ("ADMIN", true)] {
        let input = json!({ "input": { "name": scope, "scopes": [scope, "READ"] } });
        let made = customer.owner.mutate(create, input, "createApiToken").await;
        let made = made.with_context(|| scope.to_owned())?;
        let program = app.client.with_token(made["secret"].as_str().context("no secret")?);
        let response = program
            .send("{ tenant { limitOverrides { meter } } }", json!({}))
            .await?;
        let refused = response.code() == Some("FORBIDDEN");
        ensure!(
            refused != allowed && (refused || response.errors.is_empty()),
            "{scope}: {response:?}"
        );
    }
    // Who is suspended reads what was agreed.
    let suspend = "mutation($id: ID!) { suspendTenant(input: { id: $id }) { userErrors { code } } }";
    app.client
        .mutate(suspend, json!({ "id": customer.id }), "suspendTenant")
        .await?;
    ensure!(read(&customer.owner).await? == agreed);
    app.client.mutate(change, wish(json!([])), "updateTenant").await?;
    ensure!(
        read(&customer.owner).await? == json!([]),
        "the empty list removes them all"
    );
    Ok(())
}

async fn a_suspension_is_told_once_by_an_event_and_in_the_log(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    customer.device().await?;
    let newest = "{ events(last: 1) { pageInfo { endCursor } } }";
    let cursor = customer.owner.query(newest, json!({})).await?["events"]["pageInfo"]["endCursor"].clone();
    let feed = "subscription($after: Cursor) { events(after: $after, types: [TENANT_STATUS]) {
        type ... on TenantStatusEvent { status reason } } }";
    let mut events = customer.owner.subscribe(feed, json!({ "after": cursor })).await?;
    let suspend =
        "mutation($id: ID!) { suspendTenant(input: { id: $id, reason: \"unpaid\" }) { userErrors { code } } }";
    let activate = "mutation($id: ID!) { activateTenant(id: $id) { tenant { status } userErrors { code } } }";
    let id = json!({ "id": customer.id });
    // A double click suspends once.
    let (one, other) = tokio::join!(
        app.client.query(suspend, id.clone()),
        app.client.query(suspend, id.clone())
    );
    let refused = [one?, other?];
    let refused: Vec<&Value> = refused
        .iter()
        .filter_map(|data| data["suspendTenant"]["userErrors"].get(0))
        .collect();
    ensure!(refused == [&json!({ "code": "CONFLICT" })], "{refused:?}");
    for _ in 0..2 {
        let payload = app.client.mutate(activate, id.clone(), "activateTenant").await?;
        ensure!(payload["tenant"]["status"] == "ACTIVE", "{payload}");
    }
    let told = [
        events.next().await?["events"].clone(),
        events.next().await?["events"].clone(),
    ];
    let event = |status: &str, reason: Value| json!({ "type": "TENANT_STATUS", "status": status, "reason": reason });
    ensure!(
        told == [event("SUSPENDED", json!("unpaid")), event("ACTIVE", Value::Null)],
        "{told:?}"
    );
    let log = "{ auditLog(where: { action: [TENANT_SUSPENDED, TENANT_ACTIVATED] }) { nodes {
        action objectId actor { kind } after } } }";
    let log = customer.owner.query(log, json!({})).await?["auditLog"]["nodes"].clone();
    let entry = |action: &str, after: Value| json!({ "action": action, "objectId": customer.id, "actor": { "kind": "OPERATOR" }, "after": after });
    ensure!(
        log == json!([
            entry("TENANT_ACTIVATED", Value::Null),
            entry("TENANT_SUSPENDED", json!({ "reason": "unpaid" }))
        ]),
        "{log}"
    );
    Ok(())
}

async fn warnings_come_once(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    change_tenant(
        &app.client,
        json!({ "limitOverrides": [{ "meter": "DEVICES", "limit": 5 }] }),
    )
    .await?;
    for _ in 0..6 {
        app.client.query(CREATE, json!({})).await?;
    }
    let events = "{ events(types: [QUOTA_WARNING], first: 10) { nodes { ... on QuotaWarningEvent { meter percent limit used } } } }";
    let told = eventually("both warnings are in the log", || async {
        let data = app.client.query(events, json!({})).await?;
        let nodes = data["events"]["nodes"].as_array().cloned().unwrap_or_default();
        Ok((nodes.len() >= 2).then_some(nodes))
    })
    .await?;
    ensure!(
        told == [
            json!({ "meter": "DEVICES", "percent": 80, "limit": 5, "used": 4 }),
            json!({ "meter": "DEVICES", "percent": 100, "limit": 5, "used": 5 })
        ],
        "{told:?}"
    );
    Ok(())
}
