//! The audit log tells who did what, and cannot be changed.

use anyhow::{Context, Result, ensure};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tests::{Client, EMAIL, PASSWORD, TestApp, TestDatabase, connect, second_tenant};

tests::on_both_databases!(
    changes_are_logged_with_who_and_what,
    logins_and_stolen_sessions_are_logged,
    the_log_is_paged_filtered_and_exported,
    the_database_refuses_to_change_the_log,
    other_tenants_and_roles_do_not_read_the_log,
);

const LOG: &str = "query($where: AuditFilter, $first: Int, $after: String) {
    auditLog(where: $where, first: $first, after: $after) {
        nodes { id action objectId objectName before after actor { kind id name address } }
        pageInfo { hasNextPage endCursor } } }";

async fn log(client: &Client, filter: Value) -> Result<Vec<Value>> {
    let data = client.query(LOG, json!({ "where": filter, "first": 100 })).await?;
    data["auditLog"]["nodes"].as_array().cloned().context("no nodes")
}

async fn create(client: &Client, name: &str) -> Result<Value> {
    let document =
        "mutation($input: CreateDeviceInput!) { createDevice(input: $input) { device { id } userErrors { code } } }";
    let payload = client
        .mutate(document, json!({ "input": { "name": name } }), "createDevice")
        .await?;
    Ok(payload["device"]["id"].clone())
}

async fn changes_are_logged_with_who_and_what(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let id = create(&app.client, "Support").await?;
    let update =
        "mutation($input: UpdateDeviceInput!) { updateDevice(input: $input) { device { id } userErrors { code } } }";
    let input = json!({ "input": { "id": id, "name": "Sales", "tags": [] } });
    app.client.mutate(update, input, "updateDevice").await?;
    // What is refused is not done, so it is not in the log either.
    let input = json!({ "input": { "id": id, "name": "" } });
    app.client.refused(update, input, "updateDevice").await?;
    let delete = "mutation($id: ID!) { deleteDevice(id: $id) { deletedId userErrors { code } } }";
    app.client.mutate(delete, json!({ "id": id }), "deleteDevice").await?;

    let entries = log(&app.client, json!({ "objectId": id })).await?;
    let actions: Vec<&Value> = entries.iter().map(|entry| &entry["action"]).collect();
    ensure!(
        actions == ["DEVICE_DELETED", "DEVICE_UPDATED", "DEVICE_CREATED"],
        "{actions:?}"
    );
    ensure!(entries[1]["before"] == json!({ "name": "Support" }), "{}", entries[1]);
    ensure!(entries[1]["after"] == json!({ "name": "Sales" }), "{}", entries[1]);
    ensure!(entries[0]["objectName"] == "Sales");
    let user = &app.session["viewer"]["user"]["id"];
    for entry in &entries {
        let actor = &entry["actor"];
        ensure!(actor["kind"] == "USER" && actor["id"] == *user, "{actor}");
        ensure!(actor["name"] == EMAIL && actor["address"] == "127.0.0.1", "{actor}");
    }
    let node = "query($id: ID!) { node(id: $id) { ... on AuditEntry { action } } }";
    let node = app.client.query(node, json!({ "id": entries[0]["id"] })).await?;
    ensure!(node["node"]["action"] == "DEVICE_DELETED", "{node}");
    Ok(())
}

async fn logins_and_stolen_sessions_are_logged(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let document = "mutation($input: LoginInput!) { login(input: $input) { accessToken userErrors { code } } }";
    for email in [EMAIL, "nobody@kabar.test"] {
        let input = json!({ "input": { "email": email, "password": "hunter2-and-more" } });
        app.client.anonymous().refused(document, input, "login").await?;
    }
    let refresh = "mutation($token: String) { refreshSession(input: { refreshToken: $token }) { accessToken userErrors { code } } }";
    let token = json!({ "token": app.session["refreshToken"] });
    let anonymous = app.client.anonymous();
    anonymous.mutate(refresh, token.clone(), "refreshSession").await?;
    app.clock.advance(chrono::TimeDelta::minutes(1));
    anonymous.refused(refresh, token, "refreshSession").await?;

    let (client, _) = app.client.login(EMAIL, PASSWORD).await?;
    let entries = log(&client, json!(null)).await?;
    let actions: Vec<&Value> = entries.iter().map(|entry| &entry["action"]).collect();
    ensure!(
        actions == ["LOGGED_IN", "REFRESH_TOKEN_REUSED", "LOGIN_FAILED", "LOGGED_IN"],
        "{actions:?}"
    );
    ensure!(entries[2]["actor"]["kind"] == "STRANGER", "{}", entries[2]);
    ensure!(entries[2]["objectName"] == EMAIL, "{}", entries[2]);
    ensure!(!Value::from(entries).to_string().contains("hunter2"));
    Ok(())
}

async fn the_log_is_paged_filtered_and_exported(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    for number in 0..12 {
        create(&app.client, &format!("Device {number}")).await?;
    }
    let (mut after, mut seen) = (Value::Null, Vec::new());
    loop {
        let variables = json!({ "where": { "action": ["DEVICE_CREATED"] }, "first": 5, "after": after });
        let page = app.client.query(LOG, variables).await?["auditLog"].clone();
        seen.extend(page["nodes"].as_array().context("no nodes")?.clone());
        if page["pageInfo"]["hasNextPage"] != true {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    let names: Vec<String> = seen.iter().map(|entry| entry["objectName"].to_string()).collect();
    let wanted: Vec<String> = (0..12).rev().map(|number| format!("\"Device {number}\"")).collect();
    ensure!(names == wanted, "{names:?}");

    let (status, csv) = app
        .client
        .get("/exports/audit-log.csv?action=DEVICE_CREATED&from=2020-01-01T00:00:00Z")
        .await?;
    let csv = String::from_utf8(csv)?;
    ensure!(status == 200 && csv.starts_with("at,actor_kind,"), "{status}: {csv}");
    ensure!(csv.lines().count() == 13, "{csv}");
    let exported = log(&app.client, json!({ "action": ["AUDIT_LOG_EXPORTED"] })).await?;
    ensure!(exported.len() == 1, "{exported:?}");
    let (status, _) = app.client.get("/exports/audit-log.csv?action=NONSENSE").await?;
    ensure!(status == 400, "{status}");
    let (status, _) = app.client.anonymous().get("/exports/audit-log.csv").await?;
    ensure!(status == 401, "{status}");
    Ok(())
}

async fn the_database_refuses_to_change_the_log(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    create(&app.client, "Support").await?;
    let connection = connect(&app.database.url()).await?;
    for statement in ["UPDATE audit_entry SET action = 'other'", "DELETE FROM audit_entry"] {
        let refused = connection.execute_unprepared(statement).await;
        let error = refused.err().with_context(|| statement.to_owned())?;
        ensure!(error.to_string().contains("append-only"), "{error}");
    }
    ensure!(log(&app.client, json!(null)).await?.len() == 2);
    // What a tenant did goes with the tenant.
    connection.execute_unprepared("DELETE FROM tenant").await?;
    let left = connection
        .query_one_raw(sea_orm::Statement::from_string(
            connection.get_database_backend(),
            "SELECT COUNT(*) FROM audit_entry WHERE tenant_id IS NOT NULL",
        ))
        .await?
        .context("no count")?;
    ensure!(left.try_get_by_index::<i64>(0)? == 0);
    Ok(connection.close().await?)
}

async fn other_tenants_and_roles_do_not_read_the_log(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    create(&app.client, "Support").await?;
    let entry = log(&app.client, json!(null)).await?[0]["id"].clone();
    second_tenant(&app.database.url(), "stranger@kabar.test").await?;
    let (stranger, _) = app.client.login("stranger@kabar.test", PASSWORD).await?;
    let theirs = log(&stranger, json!(null)).await?;
    ensure!(theirs.len() == 1 && theirs[0]["action"] == "LOGGED_IN", "{theirs:?}");
    let node = stranger
        .query("query($id: ID!) { node(id: $id) { id } }", json!({ "id": entry }))
        .await?;
    ensure!(node["node"].is_null(), "{node}");

    let connection = connect(&app.database.url()).await?;
    connection
        .execute_unprepared("UPDATE membership SET role = 'agent'")
        .await?;
    connection.close().await?;
    let (agent, _) = app.client.login(EMAIL, PASSWORD).await?;
    let response = agent.send(LOG, json!({})).await?;
    ensure!(response.code() == Some("FORBIDDEN"), "{response:?}");
    let (status, _) = agent.get("/exports/audit-log.csv").await?;
    ensure!(status == 403, "{status}");
    Ok(())
}
