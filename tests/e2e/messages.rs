//! A text goes out, receipts and an answer come in.

use anyhow::{Context, Result, ensure};
use sandbox::{Behavior, BehaviorPatch, Disruption, Reply, Target};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tests::{SEND, Stage, TestDatabase, eventually, text_input};

tests::on_both_databases!(
    a_text_is_sent_delivered_and_read_live,
    an_answer_arrives_live_and_counts_as_unread,
    a_recipient_that_cannot_read_a_text_gets_it_again,
    the_same_idempotency_key_never_sends_twice,
    a_caller_may_wait_for_the_result,
    many_texts_arrive_once_and_in_order,
    a_message_that_waits_can_be_canceled,
    a_receipt_for_an_ended_message_holds_up_no_other,
);

async fn a_text_is_sent_delivered_and_read_live(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone_that(
        "+6281200000002",
        Behavior {
            reads: true,
            ..Behavior::default()
        },
    )?;
    let mut updates = stage
        .client
        .subscribe("subscription { messageUpdated { id status whatsappId } }", json!({}))
        .await?;

    let id = stage
        .send_text(&device.id, "+6281200000002", "Halo, apa kabar?")
        .await?;

    let mut seen: Vec<String> = Vec::new();
    updates
        .until("READ is pushed", |value| {
            let message = &value["messageUpdated"];
            if message["id"] == id.as_str() {
                seen.push(message["status"].as_str().unwrap_or_default().to_owned());
            }
            (message["id"] == id.as_str() && message["status"] == "READ").then_some(())
        })
        .await?;
    let order = ["QUEUED", "SENDING", "SENT", "DELIVERED", "READ"];
    let places: Vec<usize> = seen
        .iter()
        .map(|status| order.iter().position(|known| known == status).context("unknown status"))
        .collect::<Result<_>>()?;
    ensure!(places.is_sorted(), "a status moved back: {seen:?}");

    let message = stage.message(&id).await?;
    let history: Vec<&str> = message["statusHistory"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|change| change["status"].as_str())
        .collect();
    for status in ["SENT", "DELIVERED", "READ"] {
        ensure!(history.contains(&status), "{status} is not in the history {history:?}");
    }
    let ledger = stage.network.received("+6281200000002", None, 10)?;
    ensure!(
        ledger.len() == 1 && ledger[0].text.as_deref() == Some("Halo, apa kabar?"),
        "{ledger:?}"
    );
    ensure!(
        message["whatsappId"] == ledger[0].whatsapp_id.as_str(),
        "{message} but {ledger:?}"
    );
    ensure!(ledger[0].from == device.number, "{ledger:?}");
    Ok(())
}

async fn a_recipient_that_cannot_read_a_text_gets_it_again(database: TestDatabase) -> Result<()> {
    let (ani, budi) = ("+6281200000001", "+6281200000002");
    let stage = Stage::new(database).await?;
    let device = stage.linked_device(ani).await?;
    stage.phone(budi)?;
    let first = stage.send_text(&device.id, budi, "satu").await?;
    stage.until_message(&first, "DELIVERED").await?;
    stage.settle_session(&device, budi).await?;

    stage.network.disrupt(budi, Disruption::LoseSessions).await?;
    let last = stage.send_text(&device.id, budi, "dua").await?;
    stage.until_message(&last, "DELIVERED").await?;
    let ledger = stage.network.received(budi, None, 10)?;
    let texts: Vec<_> = ledger.iter().map(|row| row.text.as_deref()).collect();
    ensure!(texts == [Some("satu"), Some("baik"), Some("dua")], "{texts:?}");
    Ok(())
}

async fn an_answer_arrives_live_and_counts_as_unread(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone_that(
        "+6281200000002",
        Behavior {
            replies: Some(Reply::Text("Baik!".to_owned())),
            ..Behavior::default()
        },
    )?;
    let document = "subscription { events(types: [MESSAGE_RECEIVED]) { cursor type ... on MessageReceivedEvent {
        message { direction status sender { phoneNumber } content { ... on TextContent { body } } chat { id unreadCount } } } } }";
    let mut events = stage.client.subscribe(document, json!({})).await?;

    stage.send_text(&device.id, "+6281200000002", "Apa kabar?").await?;

    let message = events
        .until("the answer is pushed", |value| {
            let message = &value["events"]["message"];
            (message["content"]["body"] == "Baik!").then(|| message.clone())
        })
        .await?;
    ensure!(message["direction"] == "IN", "{message}");
    ensure!(message["sender"]["phoneNumber"] == "+6281200000002", "{message}");
    stage
        .network
        .send_text("+6281200000002", Target::Phone(device.number.clone()), "Masih di sana?")
        .await?;
    let chat = message["chat"]["id"].as_str().context("no chat")?.to_owned();
    eventually("two messages are unread", || async {
        Ok((chat_of(&stage, &chat).await?["unreadCount"] == 2).then_some(()))
    })
    .await?;

    let document =
        "mutation($id: ID!) { markChatRead(chatId: $id) { chat { unreadCount } userErrors { code message } } }";
    let marked = stage
        .client
        .mutate(document, json!({ "id": chat }), "markChatRead")
        .await?;
    ensure!(marked["chat"]["unreadCount"] == 0, "{marked}");
    let chat = chat_of(&stage, &chat).await?;
    let bodies: Vec<&str> = chat["messages"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|message| message["content"]["body"].as_str())
        .collect();
    ensure!(
        bodies == ["Masih di sana?", "Baik!", "Apa kabar?"],
        "the newest comes first: {bodies:?}"
    );
    Ok(())
}

async fn chat_of(stage: &Stage, id: &str) -> Result<Value> {
    let document = "query($id: ID!) { node(id: $id) { ... on Chat { unreadCount name phoneNumber
        messages(first: 50) { nodes { content { ... on TextContent { body } } } } } } }";
    Ok(stage.client.query(document, json!({ "id": id })).await?["node"].clone())
}

async fn the_same_idempotency_key_never_sends_twice(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    let mut input = text_input(&device.id, "+6281200000002", "Order 17 is ready");
    input["idempotencyKey"] = json!("order-17");
    let input = json!({ "input": input });

    let both = tokio::join!(
        stage.client.mutate(SEND, input.clone(), "sendMessage"),
        stage.client.mutate(SEND, input.clone(), "sendMessage")
    );
    let (first, second) = (both.0?, both.1?);
    let third = stage.client.mutate(SEND, input, "sendMessage").await?;

    let id = first["message"]["id"].as_str().context("no id")?;
    ensure!(first["message"]["id"] == second["message"]["id"] && first["message"]["id"] == third["message"]["id"]);
    stage.until_message(id, "DELIVERED").await?;
    ensure!(stage.network.received_count("+6281200000002") == 1);
    Ok(())
}

async fn a_caller_may_wait_for_the_result(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    let mut input = text_input(&device.id, "+6281200000002", "Are you there?");
    input["waitFor"] = json!("DELIVERED");
    input["waitMs"] = json!(20_000);

    let payload = stage
        .client
        .mutate(SEND, json!({ "input": input }), "sendMessage")
        .await?;

    ensure!(payload["message"]["status"] == "DELIVERED", "{payload}");
    Ok(())
}

async fn many_texts_arrive_once_and_in_order(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    for number in 0..100 {
        stage
            .send_text(&device.id, "+6281200000002", &format!("text {number:03}"))
            .await?;
    }
    eventually("all texts reached the phone", || async {
        Ok((stage.network.received_count("+6281200000002") >= 100).then_some(()))
    })
    .await?;
    let texts: Vec<String> = stage
        .network
        .received("+6281200000002", None, 200)?
        .into_iter()
        .filter_map(|row| row.text)
        .collect();
    let expected: Vec<String> = (0..100).map(|number| format!("text {number:03}")).collect();
    ensure!(texts == expected, "{texts:?}");
    Ok(())
}

async fn a_message_that_waits_can_be_canceled(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    let document = "mutation($id: ID!) { disconnectDevice(id: $id) { device { status } userErrors { code message } } }";
    stage
        .client
        .mutate(document, json!({ "id": device.id }), "disconnectDevice")
        .await?;
    let canceled = stage.send_text(&device.id, "+6281200000002", "never mind").await?;
    let kept = stage.send_text(&device.id, "+6281200000002", "see you").await?;

    let document = "mutation($id: ID!) { cancelMessage(id: $id) { message { status } userErrors { code message } } }";
    let payload = stage
        .client
        .mutate(document, json!({ "id": canceled }), "cancelMessage")
        .await?;
    ensure!(payload["message"]["status"] == "CANCELED", "{payload}");

    stage.connect_device(&device.id).await?;
    stage.until_message(&kept, "DELIVERED").await?;
    ensure!(stage.network.received_count("+6281200000002") == 1);
    let refused = stage
        .client
        .refused(document, json!({ "id": kept }), "cancelMessage")
        .await?;
    ensure!(refused == "CONFLICT", "{refused}");
    Ok(())
}

/// What the server knows of a message that it sent may be behind the database: here somebody else ended one.
async fn a_receipt_for_an_ended_message_holds_up_no_other(database: TestDatabase) -> Result<()> {
    let budi = "+6281200000002";
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    let away = Behavior {
        online: false,
        ..Behavior::default()
    };
    stage.phone_that(budi, away)?;
    let mut sent = Vec::new();
    for text in ["one", "two", "three"] {
        let id = stage.send_text(&device.id, budi, text).await?;
        stage.until_message(&id, "SENT").await?;
        sent.push(id);
    }
    let ended = stage.message(&sent[1]).await?;
    let whatsapp_id = ended["whatsappId"].as_str().context("no WhatsApp id")?;
    let end = format!("UPDATE message SET status = 'failed' WHERE whatsapp_id = '{whatsapp_id}'");
    stage.database.connect().await?.execute_unprepared(&end).await?;

    let back = BehaviorPatch {
        online: Some(true),
        ..BehaviorPatch::default()
    };
    stage.network.set_behavior(budi, back)?;
    stage.until_message(&sent[0], "DELIVERED").await?;
    stage.until_message(&sent[2], "DELIVERED").await?;
    let ended = stage.message(&sent[1]).await?;
    ensure!(ended["status"] == "FAILED", "{ended}");
    Ok(())
}
