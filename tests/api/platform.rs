//! What operators do, and that nobody else does it.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Client, Customer, TestApp, TestDatabase};

tests::on_both_databases!(
    an_operator_makes_a_tenant_whose_owner_logs_in,
    short_names_are_unique,
    nobody_but_an_operator_sees_the_platform,
    operators_read_the_logs_of_all_tenants,
);

const CREATE: &str = "mutation($input: CreateTenantInput!) { createTenant(input: $input) {
    tenant { id name slug status plan { name } limits { meter } } ownerPassword userErrors { code field } } }";

async fn an_operator_makes_a_tenant_whose_owner_logs_in(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let input =
        json!({ "input": { "name": "Warung Sari", "ownerEmail": "Sari@Warung.test", "timeZone": "Asia/Makassar" } });
    let payload = app.client.mutate(CREATE, input, "createTenant").await?;
    ensure!(
        payload["tenant"]["slug"] == "warung-sari" && payload["tenant"]["plan"].is_null(),
        "{payload}"
    );
    let password = payload["ownerPassword"].as_str().context("no password")?;
    let (owner, session) = Client::new(app.client.base())
        .login("sari@warung.test", password)
        .await?;
    ensure!(
        session["viewer"]["tenant"]["name"] == "Warung Sari" && session["viewer"]["role"] == "OWNER",
        "{session}"
    );
    ensure!(owner.query("{ devices { totalCount } }", json!({})).await?["devices"]["totalCount"] == 0);

    // An address that is known gets the tenant beside its others, and no new password.
    let input = json!({ "input": { "name": "Warung Dua", "ownerEmail": "sari@warung.test" } });
    let payload = app.client.mutate(CREATE, input, "createTenant").await?;
    ensure!(payload["ownerPassword"].is_null(), "{payload}");
    let viewer = owner
        .query("{ viewer { memberships { tenant { name } role } } }", json!({}))
        .await?;
    ensure!(
        viewer["viewer"]["memberships"].as_array().map(Vec::len) == Some(2),
        "{viewer}"
    );

    let list = "query($text: String) { platform { tenants(where: { text: $text }, first: 1) {
        totalCount nodes { name } pageInfo { hasNextPage } } } }";
    let found = app.client.query(list, json!({ "text": "warung" })).await?["platform"]["tenants"].clone();
    ensure!(
        found["totalCount"] == 2
            && found["nodes"] == json!([{ "name": "Warung Dua" }])
            && found["pageInfo"]["hasNextPage"] == true,
        "{found}"
    );
    Ok(())
}

async fn short_names_are_unique(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let wish = |slug| json!({ "input": { "name": "Toko", "slug": slug, "ownerEmail": "a@toko.test" } });
    app.client.mutate(CREATE, wish(json!("toko")), "createTenant").await?;
    let code = app.client.refused(CREATE, wish(json!("toko")), "createTenant").await?;
    ensure!(code == "ALREADY_EXISTS", "{code}");
    ensure!(app.client.refused(CREATE, wish(json!("T")), "createTenant").await? == "INVALID_INPUT");
    let payload = app.client.mutate(CREATE, wish(json!(null)), "createTenant").await?;
    ensure!(payload["tenant"]["slug"] == "toko-2", "{payload}");
    Ok(())
}

async fn nobody_but_an_operator_sees_the_platform(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let input = json!({ "input": { "name": "Warung", "ownerEmail": "sari@warung.test" } });
    let payload = app.client.mutate(CREATE, input, "createTenant").await?;
    let password = payload["ownerPassword"].as_str().context("no password")?;
    let (owner, _) = Client::new(app.client.base())
        .login("sari@warung.test", password)
        .await?;
    let id = payload["tenant"]["id"].clone();
    for document in [
        "query($id: ID!) { platform { tenant(id: $id) { id } } }",
        "query($id: ID!) { platform { tenants { nodes { id } } } a: node(id: $id) { id } }",
        "mutation($id: ID!) { updateTenant(input: { id: $id, limitOverrides: [] }) { userErrors { code } } }",
        "mutation($id: ID!) { suspendTenant(input: { id: $id }) { userErrors { code } } }",
        "mutation($id: ID!) { activateTenant(id: $id) { userErrors { code } } }",
        "mutation($id: ID!) { createTenant(input: { name: \"x\", ownerEmail: \"x@x.test\", planId: $id }) { userErrors { code } } }",
        "mutation($id: ID!) { createPlan(input: { name: \"x\", limits: [] }) { userErrors { code } } a: deletePlan(id: $id) { userErrors { code } } }",
        "mutation($id: ID!) { updatePlan(input: { id: $id }) { userErrors { code } } }",
        "mutation($id: ID!) { deletePlan(id: $id) { userErrors { code } } }",
        "mutation($id: ID!) { deleteTenant(input: { id: $id, confirm: \"warung\" }) { userErrors { code } } }",
        "mutation($id: ID!) { grantTenantAccess(input: { tenantId: $id, reason: \"because\" }) { userErrors { code } } }",
        "mutation($id: ID!) { revokeTenantAccess(id: $id) { userErrors { code } } }",
        "query($id: ID!) { platform { accessGrants(where: { tenantId: $id }) { nodes { id } } } }",
        "query($id: ID!) { platform { auditLog(where: { tenantId: $id }) { nodes { id } } } }",
    ] {
        let response = owner.send(document, json!({ "id": id })).await?;
        ensure!(response.code() == Some("FORBIDDEN"), "{document}: {response:?}");
    }
    let (status, _) = owner.get("/exports/platform/audit-log.csv").await?;
    ensure!(status == 403, "{status}");
    Ok(())
}

async fn operators_read_the_logs_of_all_tenants(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let device = customer.device().await?;
    let plan = "mutation { createPlan(input: { name: \"Small\", limits: [] }) { plan { id } userErrors { code } } }";
    app.client.mutate(plan, json!({}), "createPlan").await?;
    let document = "query($where: PlatformAuditFilter, $after: String) { platform { auditLog(where: $where, first: 2, after: $after) {
        nodes { action tenantId tenantName objectId actor { kind } } pageInfo { hasNextPage endCursor } } } }";
    let read = async |filter: Value| -> Result<Vec<Value>> {
        let (mut after, mut seen) = (Value::Null, Vec::new());
        loop {
            let variables = json!({ "where": filter, "after": after });
            let page = app.client.query(document, variables).await?["platform"]["auditLog"].clone();
            seen.extend(page["nodes"].as_array().context("no nodes")?.clone());
            if page["pageInfo"]["hasNextPage"] != true {
                return Ok(seen);
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    };
    let actions = |entries: &[Value]| -> Vec<String> {
        let names = entries.iter().filter_map(|entry| entry["action"].as_str());
        names.map(str::to_owned).collect()
    };
    let theirs = read(json!({ "tenantId": customer.id })).await?;
    ensure!(
        actions(&theirs) == ["DEVICE_CREATED", "LOGGED_IN", "TENANT_CREATED"],
        "{theirs:?}"
    );
    ensure!(
        theirs[0]["tenantName"] == "Warung" && theirs[0]["objectId"] == device,
        "{theirs:?}"
    );
    ensure!(theirs[2]["actor"]["kind"] == "OPERATOR", "{theirs:?}");
    let own = read(json!({ "tenantId": null })).await?;
    ensure!(actions(&own) == ["PLAN_CREATED", "OPERATOR_CREATED"], "{own:?}");
    ensure!(
        own[0]["tenantId"].is_null() && own[0]["tenantName"].is_null(),
        "{own:?}"
    );
    let all = read(json!({})).await?;
    ensure!(
        all.len() == 6,
        "theirs, the platform's, and the operator's login: {all:?}"
    );
    let made = read(json!({ "action": ["DEVICE_CREATED", "PLAN_CREATED"] })).await?;
    ensure!(actions(&made) == ["PLAN_CREATED", "DEVICE_CREATED"], "{made:?}");
    ensure!(read(json!({ "tenantId": "garbage" })).await?.is_empty());

    let path = format!(
        "/exports/platform/audit-log.csv?tenantId={}&action=DEVICE_CREATED",
        customer.id
    );
    let (status, csv) = app.client.get(&path).await?;
    let csv = String::from_utf8(csv)?;
    ensure!(
        status == 200 && csv.lines().count() == 2 && csv.contains(&device),
        "{status}: {csv}"
    );
    let (status, csv) = app.client.get("/exports/platform/audit-log.csv?tenantId=none").await?;
    let csv = String::from_utf8(csv)?;
    ensure!(
        status == 200 && csv.contains("plan_created") && !csv.contains("device_created"),
        "{csv}"
    );
    ensure!(
        read(json!({ "action": ["AUDIT_LOG_EXPORTED"], "tenantId": customer.id }))
            .await?
            .len()
            == 1
    );
    let (status, _) = app
        .client
        .get("/exports/platform/audit-log.csv?tenantId=garbage")
        .await?;
    ensure!(status == 400, "{status}");
    Ok(())
}
