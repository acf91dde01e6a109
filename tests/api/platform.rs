//! What operators do, and that nobody else does it.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::{Client, TestApp, TestDatabase};

tests::on_both_databases!(
    an_operator_makes_a_tenant_whose_owner_logs_in,
    short_names_are_unique,
    nobody_but_an_operator_sees_the_platform,
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
    ] {
        let response = owner.send(document, json!({ "id": id })).await?;
        ensure!(response.code() == Some("FORBIDDEN"), "{document}: {response:?}");
    }
    Ok(())
}
