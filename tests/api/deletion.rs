//! A deleted tenant leaves nothing behind, and others lose nothing.

use anyhow::{Context, Result, ensure};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tests::{Client, Customer, PASSWORD, TestApp, TestDatabase, connect, eventually, rows, second_tenant};

tests::on_both_databases!(
    nothing_of_a_deleted_tenant_is_left,
    a_tenant_is_deleted_only_when_its_name_is_written,
    a_deletion_that_another_server_has_begun_goes_on,
    the_last_operator_keeps_a_tenant,
);

const DELETE: &str = "mutation($id: ID!, $confirm: String!) { deleteTenant(input: { id: $id, confirm: $confirm }) {
    tenant { status } userErrors { code field } } }";

async fn delete(client: &Client, customer: &Customer) -> Result<Value> {
    let input = json!({ "id": customer.id, "confirm": customer.slug });
    client.mutate(DELETE, input, "deleteTenant").await
}

async fn is_gone(client: &Client, id: &str) -> Result<Option<()>> {
    let document = "query($id: ID!) { platform { tenant(id: $id) { id } } }";
    let found = client.query(document, json!({ "id": id })).await?;
    Ok(found["platform"]["tenant"].is_null().then_some(()))
}

/// A tenant with a row in every table that holds rows of tenants.
async fn furnished(app: &TestApp, name: &str) -> Result<Customer> {
    let customer = Customer::create(&app.client, name).await?;
    let device = customer.device().await?;
    rows::conversation(&app.database, &customer.id, &device, 1_200).await?;
    for document in [
        "mutation { inviteMember(input: { email: \"agent@kabar.test\", role: AGENT }) { userErrors { code } } }",
        "mutation { createApiToken(input: { name: \"x\", scopes: [READ] }) { userErrors { code } } }",
    ] {
        customer.owner.query(document, json!({})).await?;
    }
    let grant = "mutation($id: ID!) { grantTenantAccess(input: { tenantId: $id, reason: \"Ticket\" }) { userErrors { code } } }";
    app.client
        .mutate(grant, json!({ "id": customer.id }), "grantTenantAccess")
        .await?;
    Ok(customer)
}

async fn nothing_of_a_deleted_tenant_is_left(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let stays = furnished(&app, "Stays").await?;
    let goes = furnished(&app, "Goes").await?;
    let before = rows::rows_of_tenant(&app.database, &goes.id).await?;
    for (table, count) in &before {
        ensure!(
            *count > 0,
            "this test makes no row of {table}: it would not see one that is left"
        );
    }
    let others = rows::rows_of_tenant(&app.database, &stays.id).await?;
    let mut live = goes
        .owner
        .subscribe("subscription { events { type } }", json!({}))
        .await?;

    let payload = delete(&app.client, &goes).await?;
    ensure!(payload["tenant"]["status"] == "DELETING", "{payload}");
    let response = goes.owner.send("{ devices { totalCount } }", json!({})).await?;
    ensure!(response.code() == Some("UNAUTHENTICATED"), "{response:?}");
    ensure!(
        app.client.login(&goes.login.0, &goes.login.1).await.is_err(),
        "nobody gets in any more"
    );
    live.next().await.err().context("the websocket goes on")?;
    eventually("the tenant is gone", || is_gone(&app.client, &goes.id)).await?;
    let left = rows::rows_of_tenant(&app.database, &goes.id).await?;
    ensure!(left.iter().all(|(_, count)| *count == 0), "{left:?}");
    ensure!(rows::rows_of_tenant(&app.database, &stays.id).await? == others);
    ensure!(rows::count_messages(&app.database).await? == 1_200);

    let log = "{ platform { auditLog(where: { tenantId: null }, first: 2) { nodes { action objectId objectName actor { kind } } } } }";
    let log = app.client.query(log, json!({})).await?["platform"]["auditLog"]["nodes"].clone();
    let entry = |action: &str, kind: &str| json!({ "action": action, "objectId": goes.id, "objectName": "Goes", "actor": { "kind": kind } });
    ensure!(
        log == json!([
            entry("TENANT_DELETED", "SYSTEM"),
            entry("TENANT_DELETION_BEGUN", "OPERATOR")
        ]),
        "{log}"
    );
    // The name is free again, and the owner's account is still there.
    let again = "mutation { createTenant(input: { name: \"Goes\", ownerEmail: \"owner@goes.test\" }) { tenant { slug } ownerPassword userErrors { code } } }";
    let again = app.client.mutate(again, json!({}), "createTenant").await?;
    ensure!(
        again["tenant"]["slug"] == "goes" && again["ownerPassword"].is_null(),
        "{again}"
    );
    app.client.login(&goes.login.0, &goes.login.1).await?;
    Ok(())
}

async fn a_tenant_is_deleted_only_when_its_name_is_written(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    for confirm in ["", "Warung", "warung "] {
        let input = json!({ "id": customer.id, "confirm": confirm });
        let code = app.client.refused(DELETE, input, "deleteTenant").await?;
        ensure!(code == "INVALID_INPUT", "{confirm}: {code}");
    }
    let input = json!({ "id": "ten_x", "confirm": "warung" });
    ensure!(app.client.refused(DELETE, input, "deleteTenant").await? == "NOT_FOUND");
    customer.owner.query("{ devices { totalCount } }", json!({})).await?;
    Ok(())
}

async fn a_deletion_that_another_server_has_begun_goes_on(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = furnished(&app, "Warung").await?;
    let connection = connect(&app.database.url()).await?;
    connection
        .execute_unprepared("UPDATE tenant SET status = 'deleting' WHERE slug = 'warung'")
        .await?;
    connection
        .execute_unprepared("DELETE FROM message WHERE whatsapp_id LIKE 'COPY%'")
        .await?;
    connection.close().await?;
    eventually("the tenant is gone", || is_gone(&app.client, &customer.id)).await?;
    let left = rows::rows_of_tenant(&app.database, &customer.id).await?;
    ensure!(left.iter().all(|(_, count)| *count == 0), "{left:?}");
    Ok(())
}

async fn the_last_operator_keeps_a_tenant(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let own = app.client.query("{ tenant { id slug } }", json!({})).await?["tenant"].clone();
    let input = json!({ "id": own["id"], "confirm": own["slug"] });
    ensure!(app.client.refused(DELETE, input, "deleteTenant").await? == "CONFLICT");
    // People who run nothing do not keep a tenant from going; those with another one go on there.
    second_tenant(&app.database.url(), "stranger@kabar.test").await?;
    let (stranger, session) = app.client.login("stranger@kabar.test", PASSWORD).await?;
    let theirs = stranger.query("{ tenant { id slug } }", json!({})).await?["tenant"].clone();
    let other = "mutation { createTenant(input: { name: \"Other\", ownerEmail: \"stranger@kabar.test\" }) { tenant { id } userErrors { code } } }";
    let other = app.client.mutate(other, json!({}), "createTenant").await?;
    let input = json!({ "id": theirs["id"], "confirm": theirs["slug"] });
    app.client.mutate(DELETE, input, "deleteTenant").await?;
    let id = theirs["id"].as_str().context("no id")?;
    eventually("the tenant is gone", || is_gone(&app.client, id)).await?;
    let refresh = "mutation($input: RefreshSessionInput) { refreshSession(input: $input) { viewer { tenant { id } } userErrors { code } } }";
    let input = json!({ "input": { "refreshToken": session["refreshToken"] } });
    let went_on = stranger.anonymous().mutate(refresh, input, "refreshSession").await?;
    ensure!(went_on["viewer"]["tenant"]["id"] == other["tenant"]["id"], "{went_on}");
    Ok(())
}
