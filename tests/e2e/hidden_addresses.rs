//! WhatsApp may speak of people by hidden address (LID) instead of by number; and what is known of one person by both
//! becomes one chat.

use anyhow::{Context, Result, ensure};
use sandbox::{Behavior, Disruption, Reply, Target};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use tests::{SEND, Stage, TestDatabase, eventually};

tests::on_both_databases!(
    texts_receipts_answers_and_reconnects_work_under_hidden_addresses,
    a_chat_by_hidden_address_goes_by_the_number_once_it_is_known,
    two_chats_of_one_person_become_one,
);

const DEVICE: &str = "+6281200000001";
const FRIEND: &str = "+6281200000002";

async fn texts_receipts_answers_and_reconnects_work_under_hidden_addresses(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    stage.network.set_hidden_addressing(true);
    let device = stage.linked_device(DEVICE).await?;
    stage.phone_that(
        FRIEND,
        Behavior {
            reads: true,
            replies: Some(Reply::Echo),
            ..Behavior::default()
        },
    )?;

    for round in ["before", "after"] {
        let id = stage.send_text(&device.id, FRIEND, round).await?;
        stage.until_message(&id, "READ").await?;
        let answer = eventually("the answer arrived", || async {
            let chats = chats(&stage).await?;
            let newest = &chats[0]["messages"]["nodes"][0];
            let arrived = newest["direction"] == "IN" && newest["content"]["body"] == round;
            Ok(arrived.then(|| newest.clone()))
        })
        .await?;
        ensure!(answer["sender"]["phoneNumber"] == FRIEND, "{answer}");
        stage.network.disrupt(DEVICE, Disruption::DropSocket).await?;
    }

    let chats = chats(&stage).await?;
    ensure!(chats.len() == 1, "one person has one chat: {chats:?}");
    ensure!(chats[0]["phoneNumber"] == FRIEND, "{chats:?}");
    ensure!(chats[0]["unreadCount"] == 2, "{chats:?}");
    let ledger = stage.network.received(FRIEND, None, 10)?;
    ensure!(ledger.len() == 2, "nothing is sent twice: {ledger:?}");
    Ok(())
}

async fn a_chat_by_hidden_address_goes_by_the_number_once_it_is_known(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device(DEVICE).await?;
    let lid = stage.phone(FRIEND)?.lid;
    let sent = send_to(&stage, &device.id, &json!({ "jid": lid })).await?;
    stage.until_message(&sent, "DELIVERED").await?;
    let before = chats(&stage).await?;
    ensure!(before[0]["jid"] == lid.as_str(), "{before:?}");

    stage
        .network
        .send_text(FRIEND, Target::Phone(DEVICE.to_owned()), "It is me")
        .await?;

    let chat = eventually("the chat goes by the number and has both messages", || async {
        let chats = chats(&stage).await?;
        Ok(settled(&chats, 2, 1).then(|| chats[0].clone()))
    })
    .await?;
    ensure!(chat["phoneNumber"] == FRIEND, "{chat}");
    Ok(())
}

async fn two_chats_of_one_person_become_one(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device(DEVICE).await?;
    let lid = stage.phone(FRIEND)?.lid;
    let hidden = send_to(&stage, &device.id, &json!({ "jid": lid })).await?;
    let numbered = send_to(&stage, &device.id, &json!({ "phone": FRIEND })).await?;
    for id in [&hidden, &numbered] {
        stage.until_message(id, "DELIVERED").await?;
    }
    let before = chats(&stage).await?;
    ensure!(
        before.len() == 2,
        "nobody has told yet that both are one person: {before:?}"
    );
    let with_jid = |jid: &str| {
        before
            .iter()
            .find(|chat| chat["jid"] == jid)
            .map(|chat| chat["id"].clone())
    };
    let gone = with_jid(&lid).context("no chat by hidden address")?;
    let remains = before
        .iter()
        .find(|chat| chat["phoneNumber"] == FRIEND)
        .context("no chat by number")?["id"]
        .clone();
    leave_unread(&stage, &lid, 2).await?;
    let document =
        "subscription { events(types: [CHATS_JOINED]) { type ... on ChatsJoinedEvent { goneId chat { id } } } }";
    let mut joined = stage.client.subscribe(document, json!({})).await?;

    // Both messages tell whose the hidden address is; it is learnt once.
    for text in ["It is me", "Again"] {
        stage
            .network
            .send_text(FRIEND, Target::Phone(DEVICE.to_owned()), text)
            .await?;
    }

    let told = joined
        .until("the joining is told", |value| Some(value["events"].clone()))
        .await?;
    ensure!(told["goneId"] == gone && told["chat"]["id"] == remains, "{told}");
    let chat = eventually(
        "one chat has all four messages, and what was unread in both adds up",
        || async {
            let chats = chats(&stage).await?;
            Ok(settled(&chats, 4, 4).then(|| chats[0].clone()))
        },
    )
    .await?;
    ensure!(chat["id"] == remains, "{chat}");

    let later = send_to(&stage, &device.id, &json!({ "jid": lid })).await?;
    stage.until_message(&later, "DELIVERED").await?;
    let after = chats(&stage).await?;
    ensure!(
        after.len() == 1,
        "the hidden address leads to the chat by number: {after:?}"
    );
    Ok(())
}

async fn send_to(stage: &Stage, device: &str, to: &Value) -> Result<String> {
    let input = json!({ "input": { "deviceId": device, "to": to, "content": { "text": { "body": "Halo" } } } });
    let payload = stage.client.mutate(SEND, input, "sendMessage").await?;
    Ok(payload["message"]["id"].as_str().context("no id")?.to_owned())
}

/// Whether one chat is left with so many messages, so many of them unread. Both, since a query reads one after the other.
fn settled(chats: &[Value], messages: usize, unread: usize) -> bool {
    chats.len() == 1
        && chats[0]["messages"]["nodes"]
            .as_array()
            .is_some_and(|all| all.len() == messages)
        && chats[0]["unreadCount"] == unread
}

async fn chats(stage: &Stage) -> Result<Vec<Value>> {
    let document = "{ chats { nodes { id jid phoneNumber unreadCount
        messages { nodes { direction sender { phoneNumber } content { ... on TextContent { body } } } } } } }";
    let answer = stage.client.query(document, json!({})).await?;
    Ok(answer["chats"]["nodes"].as_array().cloned().unwrap_or_default())
}

/// Writes that a chat has unread messages, as if they had come from somebody whose number was not known.
async fn leave_unread(stage: &Stage, jid: &str, unread: i32) -> Result<()> {
    use entity::chat::{Column, Entity};
    let database = stage.database.connect().await?;
    Entity::update_many()
        .col_expr(Column::UnreadCount, Expr::value(unread))
        .filter(Column::Jid.eq(jid))
        .exec(&database)
        .await?;
    Ok(database.close().await?)
}
