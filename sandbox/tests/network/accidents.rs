//! Broken connections: nothing is lost, nothing is shown twice.

use sandbox::{Behavior, Disruption, Target};
use whatsapp_rust::SendOptions;
use whatsapp_rust::wacore::proto_helpers::MessageBuilderExt;
use whatsapp_rust::wacore::types::events::Event;
use whatsapp_rust::wacore::types::presence::ReceiptType;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::client::{TestClient, jid, ledger, network, until};

const ANI: &str = "+628120000001";
const BUDI: &str = "+628120000002";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_socket_is_dropped_comes_back() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network.create_phone(BUDI, None, Behavior::default()).unwrap();
    client.send(&jid(BUDI), "before").await;
    ledger(&network, BUDI, 1).await;
    network.disrupt(ANI, Disruption::DropSocket).await.unwrap();
    client.connected(2).await;
    client.send(&jid(BUDI), "after").await;
    ledger(&network, BUDI, 2).await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_sent_again_with_its_id_is_shown_once() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network.create_phone(BUDI, None, Behavior::default()).unwrap();
    network
        .disrupt(ANI, Disruption::DropSocketAfter { messages: 2 })
        .await
        .unwrap();
    let first = client.send(&jid(BUDI), "first").await;
    client.ack(&first).await;
    let second = client.send(&jid(BUDI), "second").await;
    client.connected(2).await;
    assert_eq!(
        client.count(|event| matches!(event, Event::ServerAck(ack) if ack.id == second)),
        0
    );

    let options = SendOptions::default().with_message_id(second.clone());
    client
        .client
        .send_message_with_options(jid(BUDI), wa::Message::text("second"), options)
        .await
        .unwrap();
    client.ack(&second).await;
    let rows = until(|| {
        let rows = network.received(BUDI, None, 10).unwrap();
        (rows.len() == 2 && rows[1].times_on_wire == 2).then_some(rows)
    })
    .await;
    assert_eq!(rows[1].whatsapp_id, second);
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_a_client_was_away_is_delivered_when_it_returns() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network.create_phone(BUDI, None, Behavior::default()).unwrap();
    let backend = client.stop().await;
    for number in 0..5 {
        network
            .send_text(BUDI, Target::Phone(ANI.to_owned()), &format!("missed {number}"))
            .await
            .unwrap();
    }
    let client = TestClient::start(&network, backend, None).await;
    client.connected(1).await;
    for number in 0..5 {
        client.text(&format!("missed {number}")).await;
    }
    client
        .wait(|event| matches!(event, Event::OfflineSyncCompleted(_)).then_some(()))
        .await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_does_not_come_again() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    let (friend, _) = TestClient::linked(&network, BUDI).await;
    let group = network.create_group(BUDI, "idle", &[ANI.to_owned()]).await.unwrap();
    let id = client.send(&jid(BUDI), "ping").await;
    client.receipt(&id, ReceiptType::Delivered).await;
    friend.text("ping").await;
    network.send_text(BUDI, Target::Group(group.jid), "pong").await.unwrap();
    client.text("pong").await;
    network
        .send_text(BUDI, Target::Phone(ANI.to_owned()), "pong")
        .await
        .unwrap();
    friend.text("pong").await;
    until(|| (network.stats().waiting == 0).then_some(())).await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_client_keeps_trying() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network
        .disrupt(ANI, Disruption::Refuse { connections: true })
        .await
        .unwrap();
    network.disrupt(ANI, Disruption::DropSocket).await.unwrap();
    until(|| (!network.phone(ANI).unwrap().linked_devices[0].online).then_some(())).await;
    network
        .disrupt(ANI, Disruption::Refuse { connections: false })
        .await
        .unwrap();
    client.connected(2).await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_client_is_told() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network.disrupt(ANI, Disruption::StreamReplaced).await.unwrap();
    client
        .wait(|event| matches!(event, Event::StreamReplaced(_)).then_some(()))
        .await;
    assert_eq!(network.phone(ANI).unwrap().linked_devices.len(), 1);
    network.shutdown().await;
}
