//! Tenants change themselves, within their limits, unless they are suspended.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Client, TestApp, TestDatabase, eventually};

tests::on_both_databases!(
    settings_are_changed_and_checked,
    a_plan_limits_devices_however_many_ask_at_once,
    an_override_wins_over_the_plan,
    a_suspended_tenant_reads_and_changes_nothing,
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
