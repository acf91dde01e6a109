//! An operator acts in a tenant of others only while let in, and the tenant reads of it.

use anyhow::{Context, Result, ensure};
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tests::{Client, Customer, TestApp, TestDatabase, connect, eventually};

tests::on_both_databases!(
    an_operator_enters_a_tenant_only_while_let_in,
    what_is_done_under_a_grant_is_told_to_the_tenant,
    a_grant_gives_nothing_that_lasts,
    a_grant_ends_at_its_time,
    a_grant_that_is_revoked_ends_at_once_here_and_within_a_second_elsewhere,
    grants_are_checked,
);

const GRANT: &str = "mutation($input: GrantTenantAccessInput!) { grantTenantAccess(input: $input) {
    accessGrant { id role reason operatorEmail expiresAt tenant { id } } userErrors { code field } } }";
const REVOKE: &str =
    "mutation($id: ID!) { revokeTenantAccess(id: $id) { accessGrant { endedAt } userErrors { code } } }";
const ENTER: &str = "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) {
    accessToken refreshToken viewer { tenant { id } role accessGrant { id reason } permissions } userErrors { code } } }";

/// The operator is let in; answers the grant's id.
async fn let_in(app: &TestApp, customer: &Customer, role: &str) -> Result<String> {
    let input = json!({ "input": { "tenantId": customer.id, "reason": "Ticket 7", "role": role } });
    let made = app.client.mutate(GRANT, input, "grantTenantAccess").await?;
    Ok(made["accessGrant"]["id"].as_str().context("no grant")?.to_owned())
}

/// The operator's session goes over; answers the client in the tenant, and what `refreshSession` said.
async fn enter(app: &TestApp, customer: &Customer) -> Result<(Client, Value)> {
    let input = json!({ "input": { "refreshToken": app.session["refreshToken"], "tenantId": customer.id } });
    let entered = app.client.anonymous().mutate(ENTER, input, "refreshSession").await?;
    let token = entered["accessToken"].as_str().context("no token")?;
    Ok((app.client.with_token(token), entered))
}

async fn is_out(client: &Client) -> Result<bool> {
    let response = client.send("{ devices { totalCount } }", json!({})).await?;
    Ok(response.code() == Some("UNAUTHENTICATED"))
}

async fn an_operator_enters_a_tenant_only_while_let_in(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let device = customer.device().await?;
    let input = json!({ "input": { "refreshToken": app.session["refreshToken"], "tenantId": customer.id } });
    let anonymous = app.client.anonymous();
    ensure!(anonymous.refused(ENTER, input, "refreshSession").await? == "NOT_FOUND");
    let node = "query($id: ID!) { node(id: $id) { id } }";
    ensure!(app.client.query(node, json!({ "id": device })).await?["node"].is_null());

    let grant = let_in(&app, &customer, "ANALYST").await?;
    let (inside, entered) = enter(&app, &customer).await?;
    let viewer = &entered["viewer"];
    ensure!(
        viewer["tenant"]["id"] == customer.id && viewer["role"] == "ANALYST" && viewer["accessGrant"]["id"] == grant,
        "{viewer}"
    );
    ensure!(inside.query(node, json!({ "id": device })).await?["node"]["id"] == device);
    let create = "mutation { createDevice(input: { name: \"x\" }) { userErrors { code } } }";
    let response = inside.send(create, json!({})).await?;
    ensure!(
        response.code() == Some("FORBIDDEN"),
        "an analyst only reads: {response:?}"
    );
    // The token of the operator's own tenant still sees nothing of the other one.
    ensure!(app.client.query(node, json!({ "id": device })).await?["node"].is_null());
    let list = "{ platform { accessGrants(where: { open: true }) { nodes { id tenant { name } } } } viewer { memberships { role } } }";
    let listed = app.client.query(list, json!({})).await?;
    ensure!(
        listed["platform"]["accessGrants"]["nodes"] == json!([{ "id": grant, "tenant": { "name": "Warung" } }]),
        "{listed}"
    );
    ensure!(
        listed["viewer"]["memberships"].as_array().map(Vec::len) == Some(1),
        "{listed}"
    );
    Ok(())
}

async fn what_is_done_under_a_grant_is_told_to_the_tenant(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let grant = let_in(&app, &customer, "ADMIN").await?;
    let (inside, _) = enter(&app, &customer).await?;
    let create = "mutation { createDevice(input: { name: \"Ours\" }) { device { id } userErrors { code } } }";
    inside.mutate(create, json!({}), "createDevice").await?;
    app.client
        .mutate(REVOKE, json!({ "id": grant }), "revokeTenantAccess")
        .await?;
    customer.device().await?;

    let log = "{ auditLog(first: 6) { nodes { action grantId after actor { kind name } } } }";
    let log = customer.owner.query(log, json!({})).await?["auditLog"]["nodes"].clone();
    let entries = log.as_array().context("no entries")?;
    let told: Vec<(&Value, &Value, &Value)> = entries
        .iter()
        .map(|entry| (&entry["action"], &entry["actor"]["kind"], &entry["grantId"]))
        .collect();
    let (operator, user, nothing, id) = (json!("OPERATOR"), json!("USER"), Value::Null, json!(grant));
    let wanted = [
        (&json!("DEVICE_CREATED"), &user, &nothing),
        (&json!("TENANT_ACCESS_REVOKED"), &operator, &nothing),
        (&json!("DEVICE_CREATED"), &operator, &id),
        (&json!("TENANT_ENTERED"), &operator, &id),
        (&json!("TENANT_ACCESS_GRANTED"), &operator, &nothing),
    ];
    ensure!(told.get(..5) == Some(&wanted[..]), "{log}");
    ensure!(entries[4]["after"]["reason"] == "Ticket 7", "{log}");
    ensure!(entries[2]["actor"]["name"] == tests::EMAIL, "{log}");
    let mine = "query($id: ID!) { auditLog(where: { grantId: $id }) { nodes { action } } }";
    let mine = customer.owner.query(mine, json!({ "id": grant })).await?;
    ensure!(mine["auditLog"]["nodes"].as_array().map(Vec::len) == Some(2), "{mine}");
    Ok(())
}

async fn a_grant_gives_nothing_that_lasts(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let_in(&app, &customer, "ADMIN").await?;
    let (inside, entered) = enter(&app, &customer).await?;
    for document in [
        "mutation { inviteMember(input: { email: \"me@kabar.test\", role: ADMIN }) { userErrors { code } } }",
        "mutation { createApiToken(input: { name: \"x\", scopes: [READ] }) { userErrors { code } } }",
        "{ apiTokens { totalCount } }",
        "{ invitations { totalCount } }",
    ] {
        let response = inside.send(document, json!({})).await?;
        ensure!(response.code() == Some("FORBIDDEN"), "{document}: {response:?}");
    }
    let permissions = entered["viewer"]["permissions"].to_string();
    ensure!(
        permissions.contains("READ_AUDIT_LOG") && !permissions.contains("MANAGE_MEMBERS"),
        "{permissions}"
    );
    Ok(())
}

async fn a_grant_ends_at_its_time(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let input = json!({ "input": { "tenantId": customer.id, "reason": "Ticket 7", "minutes": 5 } });
    app.client.mutate(GRANT, input.clone(), "grantTenantAccess").await?;
    ensure!(app.client.refused(GRANT, input.clone(), "grantTenantAccess").await? == "ALREADY_EXISTS");
    let (inside, entered) = enter(&app, &customer).await?;
    ensure!(!is_out(&inside).await?);
    app.clock.advance(TimeDelta::minutes(5));
    ensure!(is_out(&inside).await?, "the access token would still be good");
    // The session itself goes on, at home.
    let input_home = json!({ "input": { "refreshToken": entered["refreshToken"] } });
    let home = app
        .client
        .anonymous()
        .mutate(ENTER, input_home, "refreshSession")
        .await?;
    ensure!(
        home["viewer"]["tenant"]["id"] != customer.id && home["viewer"]["accessGrant"].is_null(),
        "{home}"
    );
    let client = app.client.with_token(home["accessToken"].as_str().context("no token")?);
    let over = "{ platform { accessGrants(where: { open: false }) { nodes { endedAt } } } }";
    let over = client.query(over, json!({})).await?;
    ensure!(
        over["platform"]["accessGrants"]["nodes"] == json!([{ "endedAt": null }]),
        "{over}"
    );
    // What is over does not stand in the way.
    client.mutate(GRANT, input, "grantTenantAccess").await?;
    Ok(())
}

async fn a_grant_that_is_revoked_ends_at_once_here_and_within_a_second_elsewhere(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let grant = let_in(&app, &customer, "ANALYST").await?;
    let (inside, _) = enter(&app, &customer).await?;
    let mut live = inside.subscribe("subscription { events { type } }", json!({})).await?;
    ensure!(!is_out(&inside).await?);
    let ended = app
        .client
        .mutate(REVOKE, json!({ "id": grant }), "revokeTenantAccess")
        .await?;
    ensure!(ended["accessGrant"]["endedAt"].is_string(), "{ended}");
    ensure!(is_out(&inside).await?);
    live.next().await.err().context("the websocket goes on")?;
    app.client
        .mutate(REVOKE, json!({ "id": grant }), "revokeTenantAccess")
        .await?;

    // Another node writes into the database, and this one hears nothing of it.
    let_in(&app, &customer, "ANALYST").await?;
    let (client, session) = app.client.login(tests::EMAIL, tests::PASSWORD).await?;
    let input = json!({ "input": { "refreshToken": session["refreshToken"], "tenantId": customer.id } });
    let entered = client.mutate(ENTER, input, "refreshSession").await?;
    let inside = client.with_token(entered["accessToken"].as_str().context("no token")?);
    ensure!(!is_out(&inside).await?);
    let connection = connect(&app.database.url()).await?;
    connection
        .execute_unprepared("UPDATE access_grant SET ended_at = created_at WHERE ended_at IS NULL")
        .await?;
    let began = std::time::Instant::now();
    connection.close().await?;
    eventually("the grant is over here too", || async {
        Ok(is_out(&inside).await?.then_some(()))
    })
    .await?;
    // It takes less than one second; a machine that is busy with other tests may take its time.
    ensure!(
        began.elapsed() < std::time::Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    Ok(())
}

async fn grants_are_checked(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let own = app.client.query("{ tenant { id } }", json!({})).await?["tenant"]["id"].clone();
    for (input, wanted) in [
        (json!({ "tenantId": customer.id, "reason": " " }), "INVALID_INPUT"),
        (
            json!({ "tenantId": customer.id, "reason": "why", "minutes": 481 }),
            "INVALID_INPUT",
        ),
        (
            json!({ "tenantId": customer.id, "reason": "why", "minutes": 0 }),
            "INVALID_INPUT",
        ),
        (
            json!({ "tenantId": customer.id, "reason": "why", "role": "OWNER" }),
            "INVALID_INPUT",
        ),
        (json!({ "tenantId": own, "reason": "why" }), "CONFLICT"),
        (json!({ "tenantId": "ten_garbage", "reason": "why" }), "NOT_FOUND"),
    ] {
        let code = app
            .client
            .refused(GRANT, json!({ "input": input }), "grantTenantAccess")
            .await?;
        ensure!(code == wanted, "{input}: {code}");
    }
    ensure!(
        app.client
            .refused(REVOKE, json!({ "id": "x" }), "revokeTenantAccess")
            .await?
            == "NOT_FOUND"
    );
    // A double click makes one grant.
    let input = json!({ "input": { "tenantId": customer.id, "reason": "why" } });
    let (one, other) = tokio::join!(app.client.query(GRANT, input.clone()), app.client.query(GRANT, input));
    let made = [one?, other?]
        .iter()
        .filter(|data| !data["grantTenantAccess"]["accessGrant"].is_null())
        .count();
    ensure!(made == 1, "{made} grants were made");
    Ok(())
}
