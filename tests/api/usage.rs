//! Usage over time, for a tenant and for operators.

use anyhow::{Context, Result, ensure};
use chrono::{Datelike, TimeDelta};
use serde_json::{Value, json};
use tests::{Client, Customer, TestApp, TestDatabase, rows};

tests::on_both_databases!(
    a_tenant_sees_its_days,
    operators_see_the_usage_of_every_tenant,
    ranges_and_callers_are_checked,
);

const USAGE: &str =
    "query($range: TimeRange!, $granularity: Granularity!) { usage(range: $range, granularity: $granularity) {
    from to messagesOut messagesIn campaignRecipients devices members } }";

async fn usage(client: &Client, range: Value, granularity: &str) -> Result<Vec<Value>> {
    let data = client
        .query(USAGE, json!({ "range": range, "granularity": granularity }))
        .await?;
    data["usage"].as_array().cloned().context("no points")
}

async fn a_tenant_sees_its_days(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let device = customer.device().await?;
    customer.device().await?;
    let delete = "mutation($id: ID!) { deleteDevice(id: $id) { userErrors { code } } }";
    customer
        .owner
        .mutate(delete, json!({ "id": device }), "deleteDevice")
        .await?;
    let now = app.clock.now();
    let today = i64::from(now.date_naive().num_days_from_ce());
    for (meter, day, used) in [
        ("messages_per_day", today - 2, 5),
        ("messages_per_day", today, 7),
        ("messages_received", today - 2, 3),
    ] {
        rows::figure(&app.database, &customer.id, meter, day, used).await?;
    }
    let range = json!({ "from": now - TimeDelta::days(2), "to": now });
    let points = usage(&customer.owner, range.clone(), "DAY").await?;
    let figures: Vec<Value> = points
        .iter()
        .map(|point| {
            json!([
                point["messagesOut"],
                point["messagesIn"],
                point["devices"],
                point["members"]
            ])
        })
        .collect();
    ensure!(
        figures == [json!([5, 3, 0, 0]), json!([0, 0, 0, 0]), json!([7, 0, 1, 1])],
        "{points:?}"
    );
    ensure!(points[0]["to"] == points[1]["from"], "{points:?}");
    let year = json!({ "from": now - TimeDelta::days(300), "to": now + TimeDelta::days(40) });
    let months = usage(&customer.owner, year, "MONTH").await?;
    let sum: i64 = months.iter().filter_map(|point| point["messagesOut"].as_i64()).sum();
    ensure!(sum == 12, "{months:?}");
    // Another tenant's figures are not added.
    let own = usage(&app.client, range, "DAY").await?;
    ensure!(own.iter().all(|point| point["messagesOut"] == 0), "{own:?}");
    Ok(())
}

async fn operators_see_the_usage_of_every_tenant(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let today = i64::from(app.clock.now().date_naive().num_days_from_ce());
    for (name, used) in [("Alpha", 1), ("Beta", 2), ("Gamma", 3)] {
        let customer = Customer::create(&app.client, name).await?;
        customer.device().await?;
        rows::figure(&app.database, &customer.id, "messages_per_day", today, used).await?;
    }
    let document = "query($range: TimeRange!) { platform { tenants(first: 3) { nodes { name plan { name }
        usage(range: $range, granularity: MONTH) { messagesOut devices } limits { meter used } } } } }";
    let variables = json!({ "range": { "from": app.clock.now() - TimeDelta::minutes(1) } });
    let data = app.client.query(document, variables).await?;
    let nodes = data["platform"]["tenants"]["nodes"].as_array().context("no tenants")?;
    for (node, (name, used)) in nodes.iter().zip([("Gamma", 3), ("Beta", 2), ("Alpha", 1)]) {
        let points = node["usage"].as_array().context("no points")?;
        let last = points.last().context("no point")?;
        ensure!(
            node["name"] == name && last["messagesOut"] == used && last["devices"] == 1,
            "{node}"
        );
        let limits = node["limits"].as_array().context("no limits")?;
        let devices = limits.iter().find(|limit| limit["meter"] == "DEVICES");
        ensure!(devices.is_some_and(|limit| limit["used"] == 1), "{node}");
    }
    Ok(())
}

async fn ranges_and_callers_are_checked(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let now = app.clock.now();
    for range in [
        json!({ "from": now, "to": now - TimeDelta::days(1) }),
        json!({ "from": now - TimeDelta::days(4_000), "to": now }),
    ] {
        let variables = json!({ "range": range, "granularity": "DAY" });
        let response = customer.owner.send(USAGE, variables).await?;
        ensure!(response.code() == Some("BAD_REQUEST"), "{response:?}");
    }
    ensure!(usage(&customer.owner, json!({}), "DAY").await?.len() >= 30);
    Ok(())
}
