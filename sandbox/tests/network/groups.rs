//! Groups.

use sandbox::{Behavior, Target, Text};
use whatsapp_rust::wacore::iq::groups::{GroupCreateOptions, GroupParticipantOptions};
use whatsapp_rust::wacore::proto_helpers::MessageBuilderExt as _;
use whatsapp_rust::wacore::types::events::Event;
use whatsapp_rust::wacore::types::presence::ReceiptType;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::client::{TestClient, jid, ledger, network};

const ANI: &str = "+628120000001";
const BUDI: &str = "+628120000002";
const CITRA: &str = "+628120000003";

#[tokio::test(flavor = "multi_thread")]
async fn a_clients_group_reaches_every_member() {
    for hidden in [false, true] {
        let network = network().await;
        network.set_hidden_addressing(hidden);
        let (client, _) = TestClient::linked(&network, ANI).await;
        let (friend, _) = TestClient::linked(&network, BUDI).await;
        network
            .create_phone(
                CITRA,
                None,
                Behavior {
                    reads: true,
                    ..Behavior::default()
                },
            )
            .unwrap();
        let options = GroupCreateOptions::builder()
            .subject("trip")
            .participants(vec![
                GroupParticipantOptions::new(jid(BUDI)),
                GroupParticipantOptions::new(jid(CITRA)),
            ])
            .build();
        let group = client.client.groups().create_group(options).await.unwrap().metadata.id;
        assert_eq!(network.groups(CITRA)[0].subject, "trip");
        assert_eq!(network.groups(CITRA)[0].participants.len(), 3);

        let id = client.send(&group, "who comes?").await;
        assert_eq!(friend.text("who comes?").await.1, group);
        client.receipt(&id, ReceiptType::Read).await;
        let rows = ledger(&network, CITRA, 1).await;
        assert_eq!(rows[0].group.as_deref(), Some(group.to_string().as_str()));
        assert_eq!(rows[0].from, ANI);

        friend.send(&group, "me").await;
        client.text("me").await;
        network
            .send_text(CITRA, Target::Group(group.to_string()), "me too")
            .await
            .unwrap();
        client.text("me too").await;
        friend.text("me too").await;
        let listed = friend.client.groups().get_participating().await.unwrap();
        assert!(listed.contains_key(&group));
        network.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mentions_stand_in_the_form_that_the_group_goes_by() {
    for hidden in [false, true] {
        let network = network().await;
        network.set_hidden_addressing(hidden);
        let (client, _) = TestClient::linked(&network, ANI).await;
        network.create_phone(BUDI, None, Behavior::default()).unwrap();
        let citra = network.create_phone(CITRA, None, Behavior::default()).unwrap();
        let members = [ANI.to_owned(), CITRA.to_owned()];
        let group = network.create_group(BUDI, "trip", &members).await.unwrap().jid;
        let written = if hidden { citra.lid } else { jid(CITRA).to_string() };

        let text = Text {
            body: format!("@{} and @628 @all", CITRA.trim_start_matches('+')),
            mentions: vec![CITRA.to_owned()],
            mentions_everyone: true,
        };
        network
            .send_text(BUDI, Target::Group(group.clone()), text)
            .await
            .unwrap();
        let expected = format!("@{} and @628 @all", written.split('@').next().unwrap());
        client.text(&expected).await;
        let context = client.wait(|event| context_of(event, &expected)).await;
        assert_eq!(context.mentioned_jid, std::slice::from_ref(&written));
        assert_eq!(context.non_jid_mentions, Some(1));
        let row = ledger(&network, CITRA, 1).await.remove(0);
        assert_eq!(row.text.as_deref(), Some(expected.as_str()));
        assert_eq!((row.mentions, row.mentions_everyone), (vec![written.clone()], true));

        let context = wa::ContextInfo {
            mentioned_jid: vec![written.clone()],
            ..Default::default()
        };
        let message = wa::Message::text_with_context("hidden", context);
        client
            .client
            .send_message(group.parse::<whatsapp_rust::Jid>().unwrap(), message)
            .await
            .unwrap();
        let row = ledger(&network, CITRA, 2).await.remove(1);
        assert_eq!((row.mentions, row.mentions_everyone), (vec![written], false));

        let nobody = Text {
            mentions: vec!["+628129999999".to_owned()],
            ..Text::default()
        };
        assert!(network.send_text(BUDI, Target::Group(group), nobody).await.is_err());
        network.shutdown().await;
    }
}

/// The context of the incoming text `text`.
fn context_of(event: &Event, text: &str) -> Option<wa::ContextInfo> {
    let Event::Messages(batch) = event else { return None };
    batch.messages.iter().find_map(|inbound| {
        let extended = inbound.message.extended_text_message.as_option()?;
        let found = extended.text.as_deref() == Some(text);
        found.then(|| extended.context_info.as_option().cloned())?
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn members_come_and_go() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    network.create_phone(BUDI, None, Behavior::default()).unwrap();
    network.create_phone(CITRA, None, Behavior::default()).unwrap();
    let group = network.create_group(BUDI, "market", &[ANI.to_owned()]).await.unwrap();
    let jid_of_group: whatsapp_rust::Jid = group.jid.parse().unwrap();
    network
        .send_text(BUDI, Target::Group(group.jid.clone()), "welcome")
        .await
        .unwrap();
    client.text("welcome").await;

    let answers = client
        .client
        .groups()
        .add_participants(&jid_of_group, &[jid(CITRA)])
        .await
        .unwrap();
    assert!(answers[0].is_ok());
    client.send(&jid_of_group, "hello Citra").await;
    ledger(&network, CITRA, 1).await;
    network
        .send_text(CITRA, Target::Group(group.jid.clone()), "hello all")
        .await
        .unwrap();
    client.text("hello all").await;

    network.remove_from_group(&group.jid, CITRA).await.unwrap();
    let refused = network
        .send_text(CITRA, Target::Group(group.jid.clone()), "still here?")
        .await;
    assert!(matches!(refused, Err(sandbox::SandboxError::NotAMember(_))));
    client.send(&jid_of_group, "without Citra").await;
    ledger(&network, BUDI, 3).await;
    assert_eq!(network.received_count(CITRA), 1);
    network.shutdown().await;
}
