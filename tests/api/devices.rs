//! Devices as records: created, found, changed, paged. Nothing connects here.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{TestApp, TestDatabase};

tests::on_both_databases!(
    a_device_is_created_changed_and_deleted,
    malformed_and_taken_keys_are_refused,
    devices_are_paged_without_gaps_or_repetitions,
    devices_are_filtered,
    a_device_that_is_not_linked_cannot_send,
);

const CREATE: &str = "mutation($input: CreateDeviceInput!) { createDevice(input: $input) {
    device { id key name remark tags status } userErrors { code field } } }";

async fn create(app: &TestApp, input: Value) -> Result<Value> {
    Ok(app
        .client
        .mutate(CREATE, json!({ "input": input }), "createDevice")
        .await?["device"]
        .clone())
}

async fn a_device_is_created_changed_and_deleted(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let device = create(
        &app,
        json!({ "name": "Support", "key": "support-1", "tags": ["jakarta"] }),
    )
    .await?;
    ensure!(
        device["status"] == "CREATED" && device["tags"] == json!(["jakarta"]),
        "{device}"
    );

    let update = "mutation($input: UpdateDeviceInput!) { updateDevice(input: $input) { device { name remark key } userErrors { code } } }";
    let input = json!({ "input": { "id": device["id"], "name": "Sales", "remark": "second floor" } });
    let changed = app.client.mutate(update, input, "updateDevice").await?;
    ensure!(
        changed["device"] == json!({ "name": "Sales", "remark": "second floor", "key": "support-1" }),
        "{changed}"
    );

    let by_key = app
        .client
        .query("{ device(key: \"support-1\") { id } }", json!({}))
        .await?;
    ensure!(by_key["device"]["id"] == device["id"], "{by_key}");
    let by_node = "query($id: ID!) { node(id: $id) { id ... on Device { name } } }";
    let node = app.client.query(by_node, json!({ "id": device["id"] })).await?;
    ensure!(node["node"]["name"] == "Sales", "{node}");

    let delete = "mutation($id: ID!) { deleteDevice(id: $id) { deletedId userErrors { code } } }";
    app.client
        .mutate(delete, json!({ "id": device["id"] }), "deleteDevice")
        .await?;
    let gone = app.client.query(by_node, json!({ "id": device["id"] })).await?;
    ensure!(gone["node"].is_null(), "{gone}");
    Ok(())
}

async fn malformed_and_taken_keys_are_refused(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    create(&app, json!({ "name": "One", "key": "taken" })).await?;
    for (input, wanted) in [
        (json!({ "name": "Two", "key": "taken" }), "ALREADY_EXISTS"),
        (json!({ "name": "Two", "key": "no" }), "INVALID_INPUT"),
        (json!({ "name": "Two", "key": "with space" }), "INVALID_INPUT"),
        (json!({ "name": " " }), "INVALID_INPUT"),
    ] {
        let code = app
            .client
            .refused(CREATE, json!({ "input": input.clone() }), "createDevice")
            .await?;
        ensure!(code == wanted, "{input}: {code} instead of {wanted}");
    }
    Ok(())
}

async fn devices_are_paged_without_gaps_or_repetitions(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    for number in 0..23 {
        create(&app, json!({ "name": format!("Device {number:02}") })).await?;
    }
    let document = "query($after: String) { devices(first: 5, after: $after, orderBy: NAME_ASC) {
        totalCount nodes { name } pageInfo { hasNextPage endCursor } } }";
    let mut names = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = app.client.query(document, json!({ "after": after })).await?["devices"].clone();
        ensure!(page["totalCount"] == 23, "{page}");
        let nodes = page["nodes"].as_array().context("no nodes")?;
        ensure!(nodes.len() <= 5);
        names.extend(nodes.iter().filter_map(|node| node["name"].as_str().map(str::to_owned)));
        if page["pageInfo"]["hasNextPage"] != true {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    let expected: Vec<String> = (0..23).map(|number| format!("Device {number:02}")).collect();
    ensure!(names == expected, "{names:?}");

    let last = "{ devices(last: 2, orderBy: NAME_ASC) { nodes { name } pageInfo { hasPreviousPage } } }";
    let page = app.client.query(last, json!({})).await?["devices"].clone();
    ensure!(
        page["nodes"] == json!([{ "name": "Device 21" }, { "name": "Device 22" }]),
        "{page}"
    );
    ensure!(page["pageInfo"]["hasPreviousPage"] == true, "{page}");
    Ok(())
}

async fn devices_are_filtered(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    create(&app, json!({ "name": "Support Jakarta", "tags": ["jakarta"] })).await?;
    create(&app, json!({ "name": "Sales Bandung", "tags": ["bandung"] })).await?;
    for (filter, wanted) in [
        (json!({ "text": "sales" }), 1),
        (json!({ "tag": "jakarta" }), 1),
        (json!({ "connected": true }), 0),
        (json!({ "status": ["CREATED"] }), 2),
        (json!({ "status": ["CONNECTED"] }), 0),
    ] {
        let document = "query($where: DeviceFilter) { devices(where: $where) { totalCount } }";
        let found = app.client.query(document, json!({ "where": filter.clone() })).await?;
        ensure!(found["devices"]["totalCount"] == wanted, "{filter}: {found}");
    }
    Ok(())
}

async fn a_device_that_is_not_linked_cannot_send(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let device = create(&app, json!({ "name": "Support" })).await?;
    let id = device["id"].as_str().context("no id")?;
    let input = json!({ "input": tests::text_input(id, "+6281200000002", "hello") });
    let code = app.client.refused(tests::SEND, input, "sendMessage").await?;
    ensure!(code == "NOT_LINKED", "{code}");
    Ok(())
}
