//! What is remembered about others, and messages.

use std::sync::Arc;

use entity::DeviceId;
use wacore::store::{
    Device,
    traits::{
        DeviceInfo, DeviceListRecord, DeviceStore, LidPnMappingEntry, MsgSecretEntry, MsgSecretStore,
        PendingInboundKey, PendingInboundRow, ProtocolStore, TcTokenEntry,
    },
};

use super::{
    super::{Space, Storage},
    Place,
};
use crate::engine::{
    OutgoingContent, Text,
    originals::{Originals, Secrets, compose},
};

#[tokio::test]
async fn what_the_protocol_remembers_is_kept() {
    let place = Place::new().await;
    let storage = place.storage().await;

    storage
        .set_sender_key_status("g1", &[("a", true), ("b", false)])
        .await
        .unwrap();
    storage.set_sender_key_status("g2", &[("a", true)]).await.unwrap();
    let mut devices = storage.get_sender_key_devices("g1").await.unwrap();
    devices.sort();
    assert_eq!(devices, [("a".to_owned(), true), ("b".to_owned(), false)]);
    storage.delete_sender_key_device_rows(&["a"]).await.unwrap();
    assert_eq!(storage.get_sender_key_devices("g1").await.unwrap().len(), 1);
    assert!(storage.get_sender_key_devices("g2").await.unwrap().is_empty());
    storage.clear_sender_key_devices("g1").await.unwrap();
    storage.clear_all_sender_key_devices().await.unwrap();
    assert!(storage.get_sender_key_devices("g1").await.unwrap().is_empty());

    let pair = |lid: &str, phone: &str| LidPnMappingEntry {
        lid: lid.into(),
        phone_number: phone.into(),
        created_at: 1,
        updated_at: 1,
        learning_source: "usync".into(),
    };
    storage.put_lid_mapping(&pair("100", "62811")).await.unwrap();
    storage
        .put_lid_mappings(&[pair("100", "62822"), pair("200", "62833")])
        .await
        .unwrap();
    assert_eq!(
        storage.get_pn_mapping("62822").await.unwrap().unwrap().lid,
        "100",
        "seen before its commit"
    );
    assert!(
        storage.get_pn_mapping("62811").await.unwrap().is_none(),
        "the number that was given up"
    );
    storage.records.flush().await.unwrap();
    assert_eq!(storage.get_all_lid_mappings().await.unwrap().len(), 2);

    storage.save_base_key("a", "m", b"key").await.unwrap();
    assert!(storage.has_same_base_key("a", "m", b"key").await.unwrap());
    assert!(!storage.has_same_base_key("a", "m", b"other").await.unwrap());
    storage.delete_base_key("a", "m").await.unwrap();
    assert!(!storage.has_same_base_key("a", "m", b"key").await.unwrap());

    let list = DeviceListRecord {
        user: "62811".into(),
        devices: vec![DeviceInfo::new(0, None), DeviceInfo::new(4, Some(1))],
        timestamp: 1,
        phash: None,
        raw_id: Some(9),
    };
    storage.update_device_list(list).await.unwrap();
    assert_eq!(storage.get_devices("62811").await.unwrap().unwrap().devices.len(), 2);
    storage.delete_devices("62811").await.unwrap();
    assert!(storage.get_devices("62811").await.unwrap().is_none());

    storage.put_group_metadata("g1", b"blob").await.unwrap();
    assert_eq!(storage.get_group_metadata("g1").await.unwrap().unwrap(), b"blob");
    storage.delete_group_metadata("g1").await.unwrap();
    assert!(storage.get_group_metadata("g1").await.unwrap().is_none());
}

#[tokio::test]
async fn tokens_keep_the_newer_of_two_writers() {
    let place = Place::new().await;
    let storage = place.storage().await;
    storage.touch_tc_token_sender_timestamp("a", 50).await.unwrap();
    storage.store_received_tc_token("a", b"new", 20).await.unwrap();
    storage.store_received_tc_token("a", b"old", 10).await.unwrap();
    storage.touch_tc_token_sender_timestamp("a", 40).await.unwrap();
    let token = storage.get_tc_token("a").await.unwrap().unwrap();
    assert_eq!(
        (token.token.as_slice(), token.token_timestamp, token.sender_timestamp),
        (&b"new"[..], 20, Some(50))
    );

    let stale = TcTokenEntry {
        token: b"stale".to_vec(),
        token_timestamp: 1,
        sender_timestamp: None,
    };
    storage.put_tc_token("b", &stale).await.unwrap();
    storage.records.flush().await.unwrap();
    assert_eq!(storage.get_all_tc_token_jids().await.unwrap().len(), 2);
    assert_eq!(storage.delete_expired_tc_tokens(15, 15).await.unwrap(), 1);
    assert!(storage.get_tc_token("b").await.unwrap().is_none());
    storage.delete_tc_token("a").await.unwrap();
    assert!(storage.get_tc_token("a").await.unwrap().is_none());
}

#[tokio::test]
async fn messages_are_kept_until_they_are_taken_or_expire() {
    let place = Place::new().await;
    let storage = place.storage().await;
    storage.store_sent_message("chat", "m1", b"one").await.unwrap();
    assert_eq!(
        storage.take_sent_message("chat", "m1").await.unwrap().unwrap(),
        b"one",
        "before its commit"
    );
    assert!(storage.take_sent_message("chat", "m1").await.unwrap().is_none());
    storage.store_sent_message("chat", "m2", b"two").await.unwrap();
    storage.records.flush().await.unwrap();
    assert_eq!(storage.delete_expired_sent_messages(1).await.unwrap(), 0);
    assert_eq!(storage.delete_expired_sent_messages(i64::MAX).await.unwrap(), 1);

    let rows = ["m1", "m2"].map(|id| PendingInboundRow {
        chat: "c",
        sender: "s",
        id,
        message: b"hello",
    });
    storage.store_pending_inbound_batch(&rows).await.unwrap();
    storage.store_pending_inbound("c", "s", "m3", b"hello").await.unwrap();
    assert_eq!(
        storage.get_pending_inbound("c", "s", "m2").await.unwrap().unwrap(),
        b"hello"
    );
    storage.delete_pending_inbound("c", "s", "m2").await.unwrap();
    assert!(
        storage.get_pending_inbound("c", "s", "m2").await.unwrap().is_none(),
        "gone at once"
    );
    let key = PendingInboundKey {
        chat: "c",
        sender: "s",
        id: "m1",
    };
    storage.delete_pending_inbound_batch(&[key]).await.unwrap();
    assert_eq!(storage.delete_expired_pending_inbound(i64::MAX).await.unwrap(), 1);

    let entry = |expires_at, message_ts| MsgSecretEntry {
        chat: "c".into(),
        sender: "s".into(),
        msg_id: "m".into(),
        secret: [5; 32],
        expires_at,
        message_ts,
    };
    storage.put_msg_secrets(vec![entry(100, 7)]).await.unwrap();
    storage.put_msg_secrets(vec![entry(50, 0)]).await.unwrap();
    assert_eq!(
        storage.get_msg_secret_with_ts("c", "s", "m").await.unwrap(),
        Some((vec![5; 32], 7))
    );
    assert_eq!(
        storage.delete_expired_msg_secrets(99).await.unwrap(),
        0,
        "a window never shrinks"
    );
    assert_eq!(storage.delete_expired_msg_secrets(100).await.unwrap(), 1);
    storage.put_msg_secrets(vec![entry(0, 7)]).await.unwrap();
    assert_eq!(
        storage.delete_expired_msg_secrets(i64::MAX - 1).await.unwrap(),
        0,
        "some never expire"
    );
}

/// An outbox with one text.
fn halo() -> OutgoingContent {
    OutgoingContent::Text(Text {
        body: "halo".into(),
        ..Text::default()
    })
}

struct One;

#[async_trait::async_trait]
impl Originals for One {
    async fn original(
        &self,
        _: DeviceId,
        _: i64,
        chat: &str,
        id: &str,
    ) -> Result<Option<OutgoingContent>, sea_orm::DbErr> {
        let found = chat == "62811@s.whatsapp.net" && id == "3EB0";
        Ok(found.then(halo))
    }
}

#[tokio::test]
async fn what_the_outbox_has_is_not_stored_twice() {
    let place = Place::new().await;
    let secrets = Secrets::default();
    secrets.set([9; 32]);
    let records = place.records(&place.device().await);
    let storage = Storage::new(records.clone(), Arc::new(One), secrets.clone());
    let mut account = Device::new();
    account.pn = Some("62899:2@s.whatsapp.net".parse().unwrap());
    DeviceStore::save(&storage, &account).await.unwrap();
    let chat = "62811@s.whatsapp.net";
    let secret = secrets.of("3EB0").unwrap();
    let text = compose(halo(), Some(secret));
    let text = waproto::codec::message_to_vec(&text);

    storage.store_sent_message(chat, "3EB0", &text).await.unwrap();
    let entry = MsgSecretEntry {
        chat: chat.into(),
        sender: "62899@s.whatsapp.net".into(),
        msg_id: "3EB0".into(),
        secret,
        expires_at: 0,
        message_ts: 7,
    };
    storage.put_msg_secrets(vec![entry]).await.unwrap();
    records.flush().await.unwrap();
    for space in [Space::SentMessage, Space::MessageSecret] {
        assert!(records.list(space, &[]).await.unwrap().is_empty());
    }

    assert_eq!(storage.take_sent_message(chat, "3EB0").await.unwrap(), Some(text));
    assert_eq!(
        storage.take_sent_message("62812@s.whatsapp.net", "3EB0").await.unwrap(),
        None
    );
    let of = |sender: &'static str| storage.get_msg_secret(chat, sender, "3EB0");
    assert_eq!(of("62899@s.whatsapp.net").await.unwrap(), Some(secret.to_vec()));
    assert_eq!(of("62811@s.whatsapp.net").await.unwrap(), None, "another's message");
}
