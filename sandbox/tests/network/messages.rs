//! Texts, receipts and companions.

use sandbox::{Behavior, BehaviorPatch, Disruption, Reply, SandboxError, Target};
use whatsapp_rust::wacore::types::events::Event;
use whatsapp_rust::wacore::types::presence::ReceiptType;

use crate::client::{TestClient, jid, ledger, network, text_of, until};

const ANI: &str = "+628120000001";
const BUDI: &str = "+628120000002";

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_acknowledged_delivered_and_read() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network
        .create_phone(
            BUDI,
            Some("Budi"),
            Behavior {
                reads: true,
                ..Behavior::default()
            },
        )
        .unwrap();
    let id = client.send(&jid(BUDI), "halo Budi").await;
    assert_eq!(client.ack(&id).await.error, None);
    client.receipt(&id, ReceiptType::Delivered).await;
    client.receipt(&id, ReceiptType::Read).await;
    let rows = ledger(&network, BUDI, 1).await;
    assert_eq!(rows[0].whatsapp_id, id);
    assert_eq!(rows[0].from, ANI);
    assert_eq!(rows[0].text.as_deref(), Some("halo Budi"));
    assert_eq!(
        (rows[0].kind.as_str(), rows[0].times_on_wire, rows[0].sequence),
        ("text", 1, 1)
    );
    assert_eq!(network.received_count(ANI), 0);
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_writes_first_and_the_client_answers() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network.create_phone(BUDI, Some("Budi"), Behavior::default()).unwrap();
    for turn in 0..3 {
        let question = format!("question {turn}");
        let id = network
            .send_text(BUDI, Target::Phone(ANI.to_owned()), &question)
            .await
            .unwrap();
        let (seen, chat, _) = client.text(&question).await;
        assert_eq!(seen, id);
        client.send(&chat, &format!("answer {turn}")).await;
        let rows = ledger(&network, BUDI, turn + 1).await;
        assert_eq!(rows[turn].text.as_deref(), Some(format!("answer {turn}").as_str()));
    }
    // The client's own phone saw what was written to the account.
    assert_eq!(network.received_count(ANI), 3);
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_reply_as_they_are_told() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    let echo = Behavior {
        replies: Some(Reply::Echo),
        ..Behavior::default()
    };
    network.create_phone(BUDI, None, echo).unwrap();
    client.send(&jid(BUDI), "echo this").await;
    client.text("echo this").await;

    let patch = BehaviorPatch {
        replies: Some(Some(Reply::Text("later".to_owned()))),
        latency_ms: Some(50),
        ..BehaviorPatch::default()
    };
    network.set_behavior(BUDI, patch).unwrap();
    client.send(&jid(BUDI), "and now?").await;
    client.text("later").await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_companion_of_both_accounts_gets_a_text() {
    let network = network().await;
    let (sender, _) = TestClient::linked(&network, ANI).await;
    let (second, device) = TestClient::linked(&network, ANI).await;
    assert_eq!(device.id, 2);
    let (first_friend, _) = TestClient::linked(&network, BUDI).await;
    let (second_friend, _) = TestClient::linked(&network, BUDI).await;

    sender.send(&jid(BUDI), "to all").await;
    first_friend.text("to all").await;
    second_friend.text("to all").await;
    assert_eq!(ledger(&network, BUDI, 1).await[0].text.as_deref(), Some("to all"));
    // The sender's other companion sees it as its own, in the friend's chat.
    let own = second
        .wait(|event| match event {
            Event::Messages(batch) => batch
                .messages
                .iter()
                .find_map(|inbound| (text_of(&inbound.message) == Some("to all")).then(|| inbound.info.source.clone())),
            _ => None,
        })
        .await;
    assert!(own.is_from_me);
    assert_eq!(own.chat.user, BUDI.trim_start_matches('+'));

    second_friend.send(&jid(ANI), "back").await;
    sender.text("back").await;
    second.text("back").await;
    first_friend.text("back").await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_phone_gets_its_messages_later() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network
        .create_phone(
            BUDI,
            None,
            Behavior {
                online: false,
                ..Behavior::default()
            },
        )
        .unwrap();
    let id = client.send(&jid(BUDI), "waiting").await;
    assert_eq!(client.ack(&id).await.error, None);
    assert_eq!(network.received_count(BUDI), 0);
    let refused = network.send_text(BUDI, Target::Phone(ANI.to_owned()), "no").await;
    assert!(matches!(refused, Err(SandboxError::PhoneOffline(_))));
    network
        .set_behavior(
            BUDI,
            BehaviorPatch {
                online: Some(true),
                ..BehaviorPatch::default()
            },
        )
        .unwrap();
    client.receipt(&id, ReceiptType::Delivered).await;
    assert_eq!(network.received_count(BUDI), 1);
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_sender_gets_an_ack_and_nothing_else() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network
        .create_phone(
            BUDI,
            None,
            Behavior {
                blocks: vec![ANI.to_owned()],
                ..Behavior::default()
            },
        )
        .unwrap();
    let blocked = client.send(&jid(BUDI), "let me in").await;
    assert_eq!(client.ack(&blocked).await.error, None);
    network
        .set_behavior(
            BUDI,
            BehaviorPatch {
                blocks: Some(Vec::new()),
                ..BehaviorPatch::default()
            },
        )
        .unwrap();
    let allowed = client.send(&jid(BUDI), "thank you").await;
    client.receipt(&allowed, ReceiptType::Delivered).await;
    let rows = network.received(BUDI, None, 10).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].whatsapp_id, allowed);
    let receipts =
        client.count(|event| matches!(event, Event::Receipt(receipt) if receipt.message_ids.contains(&blocked)));
    assert_eq!(receipts, 0);
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_reach_the_client_with_their_code() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network.create_phone(BUDI, None, Behavior::default()).unwrap();
    network
        .disrupt(BUDI, Disruption::NackNext { count: 2, code: 463 })
        .await
        .unwrap();
    for text in ["one", "two"] {
        let id = client.send(&jid(BUDI), text).await;
        assert_eq!(client.ack(&id).await.error.as_deref(), Some("463"));
    }
    let id = client.send(&jid(BUDI), "three").await;
    assert_eq!(client.ack(&id).await.error, None);
    let rows = ledger(&network, BUDI, 1).await;
    assert_eq!(rows[0].text.as_deref(), Some("three"));

    network
        .set_behavior(
            BUDI,
            BehaviorPatch {
                nack_code: Some(Some(479)),
                ..BehaviorPatch::default()
            },
        )
        .unwrap();
    let id = client.send(&jid(BUDI), "four").await;
    assert_eq!(client.ack(&id).await.error.as_deref(), Some("479"));
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_lost_its_sessions_asks_again() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network.create_phone(BUDI, None, Behavior::default()).unwrap();
    client.send(&jid(BUDI), "before").await;
    ledger(&network, BUDI, 1).await;
    // The session must be past its first messages, whose key exchange a phone could read again.
    network
        .send_text(BUDI, Target::Phone(ANI.to_owned()), "hm")
        .await
        .unwrap();
    client.text("hm").await;
    client.send(&jid(BUDI), "still before").await;
    ledger(&network, BUDI, 2).await;
    network.disrupt(BUDI, Disruption::LoseSessions).await.unwrap();
    let id = client.send(&jid(BUDI), "after").await;
    let rows = ledger(&network, BUDI, 3).await;
    assert_eq!(rows[2].whatsapp_id, id);
    assert_eq!(rows[2].text.as_deref(), Some("after"));
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_cannot_read_gets_the_message_again() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network.create_phone(BUDI, None, Behavior::default()).unwrap();
    network
        .send_text(BUDI, Target::Phone(ANI.to_owned()), "first")
        .await
        .unwrap();
    let (_, chat, _) = client.text("first").await;
    client.send(&chat, "answer").await;
    ledger(&network, BUDI, 1).await;
    network
        .send_text(BUDI, Target::Phone(ANI.to_owned()), "second")
        .await
        .unwrap();
    let (_, _, sender) = client.text("second").await;
    client.client.signal().delete_sessions(&[sender]).await.unwrap();
    let id = network
        .send_text(BUDI, Target::Phone(ANI.to_owned()), "third")
        .await
        .unwrap();
    assert_eq!(client.text("third").await.0, id);
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_reads_later() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network.create_phone(BUDI, None, Behavior::default()).unwrap();
    let id = client.send(&jid(BUDI), "read me").await;
    client.receipt(&id, ReceiptType::Delivered).await;
    network.mark_read(BUDI, std::slice::from_ref(&id)).await.unwrap();
    client.receipt(&id, ReceiptType::Read).await;
    let unknown = network.mark_read(BUDI, &["nothing".to_owned()]).await;
    assert!(matches!(unknown, Err(SandboxError::NoSuchMessage(_))));
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_identities_carry_messages_both_ways() {
    let network = network().await;
    network.set_hidden_addressing(true);
    let (client, _) = TestClient::linked(&network, ANI).await;
    network
        .create_phone(
            BUDI,
            None,
            Behavior {
                reads: true,
                ..Behavior::default()
            },
        )
        .unwrap();
    let id = client.send(&jid(BUDI), "hidden").await;
    client.receipt(&id, ReceiptType::Read).await;
    network
        .send_text(BUDI, Target::Phone(ANI.to_owned()), "hidden too")
        .await
        .unwrap();
    let (_, chat, _) = client.text("hidden too").await;
    assert!(chat.is_lid());
    client.send(&chat, "by its hidden name").await;
    assert_eq!(
        ledger(&network, BUDI, 2).await[1].text.as_deref(),
        Some("by its hidden name")
    );
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_arrives_complete_and_in_order() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network.create_phone(BUDI, None, Behavior::default()).unwrap();
    for number in 0..200 {
        client.send(&jid(BUDI), &format!("{number}")).await;
    }
    let rows = ledger(&network, BUDI, 200).await;
    let texts: Vec<_> = rows.iter().filter_map(|row| row.text.clone()).collect();
    assert_eq!(texts, (0..200).map(|number| number.to_string()).collect::<Vec<_>>());
    until(|| (network.stats().messages >= 200).then_some(())).await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_tells_what_was_written_before() {
    let network = network().await;
    let (first, _) = TestClient::linked(&network, ANI).await;
    network.create_phone(BUDI, Some("Budi"), Behavior::default()).unwrap();
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(first.send(&jid(BUDI), text).await);
    }
    ledger(&network, BUDI, 3).await;
    ids.push(
        network
            .send_text(BUDI, Target::Phone(ANI.to_owned()), "four")
            .await
            .unwrap(),
    );
    first.text("four").await;

    // A new companion gets the history with its welcome.
    let (second, _) = TestClient::linked(&network, ANI).await;
    let known = second.history(|conversations| {
        let texts: Vec<String> = conversations.iter().flat_map(|(_, texts)| texts.clone()).collect();
        (texts == ["four", "three", "two", "one"]).then_some(conversations.len())
    });
    assert_eq!(known.await, 1);

    // And older messages when it asks.
    second
        .client
        .fetch_message_history(&jid(BUDI), &ids[2], true, 0, 1)
        .await
        .unwrap();
    second
        .history(|conversations| {
            let (chat, texts) = conversations.first()?;
            (chat.starts_with(BUDI.trim_start_matches('+')) && texts == &["two"]).then_some(())
        })
        .await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_no_limits() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    let timelock = client.client.mex().fetch_reachout_timelock().await.unwrap();
    assert_eq!(timelock.is_active, Some(false));
    network.shutdown().await;
}
