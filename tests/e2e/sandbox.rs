//! The server's own sandbox network, through the API.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Client, EMAIL, Kabar, PASSWORD, TestDatabase, eventually, on_both_databases};

on_both_databases!(what_reached_a_phone_is_read_from_both_ends);

const READER: &str = "+6281200000071";
const WRITER: &str = "+6281200000072";

async fn what_reached_a_phone_is_read_from_both_ends(database: TestDatabase) -> Result<()> {
    let data = tempfile::tempdir()?;
    let environment = [
        ("KABAR_LISTEN", "127.0.0.1:0".to_owned()),
        ("KABAR_DATA_DIR", data.path().display().to_string()),
        ("KABAR_DATABASE_URL", database.url()),
        ("KABAR_OPERATOR_EMAIL", EMAIL.to_owned()),
        ("KABAR_OPERATOR_PASSWORD", PASSWORD.to_owned()),
    ];
    let kabar = Kabar::start(environment.map(|(name, value)| (name.to_owned(), value)).into()).await?;
    let (client, _) = Client::new(kabar.base()).login(EMAIL, PASSWORD).await?;
    for number in [READER, WRITER] {
        let create = "mutation($number: String!) {
            sandboxCreatePhone(input: { number: $number }) { userErrors { code } } }";
        client
            .mutate(create, json!({ "number": number }), "sandboxCreatePhone")
            .await?;
    }
    for number in 1..=5_usize {
        let send = "mutation($input: SandboxSendInput!) { sandboxSend(input: $input) { userErrors { code } } }";
        let input = json!({ "from": WRITER, "to": { "phone": READER }, "text": number.to_string() });
        client.mutate(send, json!({ "input": input }), "sandboxSend").await?;
        // One after the other, so that they arrive in this order.
        eventually("the message has arrived", async || {
            let count = page(&client, "first: 0", Value::Null).await?["totalCount"].as_u64();
            Ok((count == Some(number as u64)).then_some(()))
        })
        .await?;
    }

    let newest = page(&client, "last: 2", Value::Null).await?;
    ensure!(texts(&newest) == ["4", "5"], "{newest}");
    ensure!(newest["pageInfo"]["hasPreviousPage"] == true && newest["pageInfo"]["hasNextPage"] == false);
    let before = newest["pageInfo"]["startCursor"].clone();
    let older = page(&client, "last: 2, before: $cursor", before).await?;
    ensure!(texts(&older) == ["2", "3"], "{older}");
    let before = older["pageInfo"]["startCursor"].clone();
    let oldest = page(&client, "last: 2, before: $cursor", before).await?;
    ensure!(
        texts(&oldest) == ["1"] && oldest["pageInfo"]["hasPreviousPage"] == false,
        "{oldest}"
    );
    let after = oldest["pageInfo"]["startCursor"].clone();
    let forth = page(&client, "first: 2, after: $cursor", after).await?;
    ensure!(
        texts(&forth) == ["2", "3"] && forth["pageInfo"]["hasNextPage"] == true,
        "{forth}"
    );
    Ok(())
}

/// A page of the reader's ledger.
async fn page(client: &Client, arguments: &str, cursor: Value) -> Result<Value> {
    let declared = if cursor.is_null() { "" } else { ", $cursor: String" };
    let document = format!(
        "query($number: PhoneNumber!{declared}) {{ sandbox {{ phone(number: $number) {{ received({arguments}) {{
            totalCount nodes {{ text }} pageInfo {{ hasNextPage hasPreviousPage startCursor }} }} }} }} }}"
    );
    let answer = client
        .query(&document, json!({ "number": READER, "cursor": cursor }))
        .await?;
    let page = answer.pointer("/sandbox/phone/received").context("no phone")?;
    Ok(page.clone())
}

fn texts(page: &Value) -> Vec<&str> {
    let nodes = page["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    nodes.iter().filter_map(|node| node["text"].as_str()).collect()
}
