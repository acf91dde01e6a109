//! Groups, and what they are called.

use anyhow::{Context, Result, ensure};
use sandbox::Target;
use serde_json::{Value, json};
use tests::{LinkedDevice, Stage, TestDatabase, eventually};

tests::on_both_databases!(
    a_group_goes_by_its_subject,
    a_group_that_was_renamed_meanwhile_goes_by_its_new_subject,
);

const ANI: &str = "+6281200000081";
const BUDI: &str = "+6281200000082";
const CITRA: &str = "+6281200000083";

/// A stage with Ani's device, and the phones of the others.
async fn stage(database: TestDatabase) -> Result<(Stage, LinkedDevice)> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device(ANI).await?;
    stage.phone(BUDI)?;
    stage.phone(CITRA)?;
    Ok((stage, device))
}

/// A group that Budi made with Ani and Citra.
async fn group(stage: &Stage, subject: &str) -> Result<String> {
    let members = [ANI.to_owned(), CITRA.to_owned()];
    Ok(stage.network.create_group(BUDI, subject, &members).await?.jid)
}

/// The chats whose name, number or address has this in it.
async fn chats(stage: &Stage, text: &str) -> Result<Vec<Value>> {
    let document = "query($text: String!) { chats(where: { text: $text }) { nodes { id jid name kind } } }";
    let found = stage.client.query(document, json!({ "text": text })).await?;
    Ok(found["chats"]["nodes"].as_array().context("no chats")?.clone())
}

async fn until_called(stage: &Stage, group: &str, name: &str) -> Result<Value> {
    eventually(&format!("the group is called {name}"), || async {
        let found = chats(stage, group).await?;
        Ok(found.into_iter().find(|chat| chat["name"] == name))
    })
    .await
}

async fn a_group_goes_by_its_subject(database: TestDatabase) -> Result<()> {
    let (stage, device) = stage(database).await?;
    let group = group(&stage, "Rapat Warung").await?;
    ensure!(chats(&stage, &group).await?.is_empty(), "nobody wrote in it");

    // Somebody else writes.
    stage
        .network
        .send_text(CITRA, Target::Group(group.clone()), "Halo")
        .await?;
    let chat = until_called(&stage, &group, "Rapat Warung").await?;
    ensure!(chat["kind"] == "GROUP" && chat["jid"] == group.as_str(), "{chat}");
    ensure!(chats(&stage, "rapat war").await? == std::slice::from_ref(&chat));
    let direct = chats(&stage, "8120000008").await?;
    ensure!(direct.is_empty(), "who writes in a group names no chat: {direct:?}");

    // Its name changes, and whoever follows the events hears of it.
    stage.network.rename_group(&group, "Rapat Besar").await?;
    let renamed = until_called(&stage, &group, "Rapat Besar").await?;
    ensure!(renamed["id"] == chat["id"], "{renamed}");
    let document = "{ events(types: [CHAT_UPDATED], last: 50) { nodes {
        ... on ChatUpdatedEvent { chat { id name } } } } }";
    let told = stage.client.query(document, json!({})).await?;
    let news = json!({ "chat": { "id": chat["id"], "name": "Rapat Besar" } });
    let told = told["events"]["nodes"].as_array().context("no events")?;
    ensure!(told.iter().filter(|event| **event == news).count() == 2, "{told:?}");

    // The device is the first to write, in a group that goes by hidden addresses.
    stage.network.set_hidden_addressing(true);
    let own = self::group(&stage, "Arisan").await?;
    let send = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { userErrors { code message } } }";
    let text = json!({ "text": { "body": "Siapa ikut?" } });
    let input = json!({ "deviceId": device.id, "to": { "jid": own }, "content": text });
    stage
        .client
        .mutate(send, json!({ "input": input }), "sendMessage")
        .await?;
    until_called(&stage, &own, "Arisan").await?;
    Ok(())
}

async fn a_group_that_was_renamed_meanwhile_goes_by_its_new_subject(database: TestDatabase) -> Result<()> {
    let (mut stage, device) = stage(database).await?;
    let group = group(&stage, "Lama").await?;
    let target = || Target::Group(group.clone());
    stage.network.send_text(BUDI, target(), "Satu").await?;
    until_called(&stage, &group, "Lama").await?;

    stage.kabar.kill().await?;
    stage.network.rename_group(&group, "Baru").await?;
    stage.kabar.start_again().await?;
    stage.log_in_again().await?;
    stage.until_status(&device.id, "CONNECTED").await?;
    stage.network.send_text(BUDI, target(), "Dua").await?;
    until_called(&stage, &group, "Baru").await?;
    Ok(())
}
