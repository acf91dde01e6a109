//! The storage against a real database: SQLite here; the end-to-end tests run over Postgres as well.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use entity::{DeviceId, TenantId, device, tenant};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use wacore::store::{
    Device,
    traits::{
        AppStateSyncKey, AppSyncStore, DeviceInfo, DeviceListRecord, DeviceStore, LidPnMappingEntry, MsgSecretEntry,
        MsgSecretStore, PendingInboundKey, PendingInboundRow, ProtocolStore, SignalStore, TcTokenEntry,
    },
};
use wacore_appstate::processor::AppStateMutationMAC;

use super::{Records, Space, Storage, Writer, records::Plain};
use crate::{
    clock::{Clock, new_id},
    engine::{
        OutgoingContent,
        originals::{NoOriginals, Originals, Secrets, compose},
    },
    store::{DatabaseOptions, DeviceOrigin, Reason, Store, cipher::Cipher},
};

/// A database of its own, removed with the value.
struct Place {
    store: Store,
    writer: Writer,
    clock: Clock,
    _folder: tempfile::TempDir,
}

#[derive(Clone, Copy)]
struct Held {
    tenant: TenantId,
    device: DeviceId,
    fence: i64,
}

impl DeviceOrigin for Held {
    fn tenant_id(&self) -> TenantId {
        self.tenant
    }
    fn device_id(&self) -> DeviceId {
        self.device
    }
    fn fence(&self) -> i64 {
        self.fence
    }
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("kabar.db").display());
        let store = Store::open(&DatabaseOptions::at(url)).await.unwrap();
        store.migrate().await.unwrap();
        let clock = Clock::system();
        Self {
            store,
            writer: Writer::start(Duration::from_millis(2)),
            clock,
            _folder: folder,
        }
    }

    async fn device(&self) -> Held {
        let held = Held {
            tenant: new_id(),
            device: new_id(),
            fence: 1,
        };
        let now = self.clock.now();
        let tx = self.store.system(Reason::Provisioning).begin().await.unwrap();
        let tenant = tenant::ActiveModel {
            id: Set(held.tenant),
            name: Set("Acme".into()),
            slug: Set(held.tenant.0.simple().to_string()),
            status: Set(tenant::Status::Active),
            default_country: Set("ID".into()),
            default_language: Set("en".into()),
            time_zone: Set("Asia/Jakarta".into()),
            plan_id: Set(None),
            limit_overrides: Set(serde_json::json!({})),
            suspended_at: Set(None),
            suspension_reason: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
        };
        tenant::Entity::insert(tenant)
            .exec_without_returning(tx.connection())
            .await
            .unwrap();
        let device = device::ActiveModel {
            id: Set(held.device),
            tenant_id: Set(held.tenant),
            name: Set("Front desk".into()),
            tags: Set(serde_json::json!([])),
            status: Set(device::Status::Created),
            status_since: Set(now),
            wanted: Set(true),
            linked: Set(false),
            connection_attempts: Set(0),
            lease_fence: Set(held.fence),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        device::Entity::insert(device)
            .exec_without_returning(tx.connection())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        held
    }

    fn records(&self, held: &Held) -> Records {
        let cipher = Cipher::new([(1, [7; 32])]).unwrap();
        Records::new(
            self.store.device_scope(held),
            cipher,
            self.writer.clone(),
            self.clock.clone(),
        )
    }

    async fn storage(&self) -> Storage {
        let records = self.records(&self.device().await);
        Storage::new(records, Arc::new(NoOriginals), Secrets::default())
    }
}

#[tokio::test]
async fn signal_state_is_kept() {
    let place = Place::new().await;
    let storage = place.storage().await;
    let other = place.storage().await;

    storage
        .put_sessions_batch(&[(Arc::from("62811@s.whatsapp.net.0"), Bytes::from_static(b"one"))])
        .await
        .unwrap();
    storage.put_session("62811:3@s.whatsapp.net.0", b"two").await.unwrap();
    assert_eq!(
        storage.get_session("62811@s.whatsapp.net.0").await.unwrap().unwrap(),
        "one"
    );
    assert!(storage.has_session("62811:3@s.whatsapp.net.0").await.unwrap());
    assert!(
        other.get_session("62811@s.whatsapp.net.0").await.unwrap().is_none(),
        "another device's"
    );
    for (user, known) in [("62811", true), ("6281", false), ("628111", false)] {
        assert_eq!(storage.has_signal_state_for_user(user).await.unwrap(), known, "{user}");
    }
    storage.delete_session("62811@s.whatsapp.net.0").await.unwrap();
    assert!(storage.get_session("62811@s.whatsapp.net.0").await.unwrap().is_none());

    storage.put_identity("a", [1; 32]).await.unwrap();
    storage
        .put_identities_batch(&[(Arc::from("a"), [2; 32]), (Arc::from("b"), [3; 32])])
        .await
        .unwrap();
    assert_eq!(storage.load_identity("a").await.unwrap(), Some([2; 32]));
    storage.delete_identity("a").await.unwrap();
    assert_eq!(storage.load_identity("a").await.unwrap(), None);

    let keys: Vec<_> = (1..=300_u32)
        .map(|id| (id, Bytes::from(id.to_be_bytes().to_vec())))
        .collect();
    storage.store_prekeys_batch(&keys, false).await.unwrap();
    storage.remove_prekey(300).await.unwrap();
    storage.mark_prekeys_uploaded(&[299, 300]).await.unwrap();
    assert_eq!(storage.get_max_prekey_id().await.unwrap(), 299);
    assert!(
        storage.load_prekey(300).await.unwrap().is_none(),
        "a consumed key stays consumed"
    );
    let mut found = storage.load_prekeys_batch(&[1, 299, 300]).await.unwrap();
    found.sort();
    assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 299]);

    storage.store_signed_prekey(1, b"signed").await.unwrap();
    storage.store_signed_prekey(256, b"newer").await.unwrap();
    assert_eq!(storage.load_all_signed_prekeys().await.unwrap().len(), 2);
    storage.remove_signed_prekey(1).await.unwrap();
    assert_eq!(storage.load_signed_prekey(256).await.unwrap().unwrap(), b"newer");

    storage
        .put_sender_keys_batch(&[(Arc::from("g::a"), Bytes::from_static(b"key"))])
        .await
        .unwrap();
    assert_eq!(storage.get_sender_key("g::a").await.unwrap().unwrap(), b"key");
    storage.delete_sender_key("g::a").await.unwrap();
    assert!(storage.get_sender_key("g::a").await.unwrap().is_none());
}

#[tokio::test]
async fn credentials_and_app_state_are_kept() {
    let place = Place::new().await;
    let storage = place.storage().await;
    assert!(storage.exists().await.unwrap());
    assert!(storage.load().await.unwrap().is_none());
    let device = Device {
        pn: Some("62811@s.whatsapp.net".parse().unwrap()),
        ..Device::new()
    };
    storage.save(&device).await.unwrap();
    let loaded = storage.load().await.unwrap().unwrap();
    assert_eq!((loaded.pn, loaded.adv_secret_key), (device.pn, device.adv_secret_key));

    for id in [b"a", b"b"] {
        storage
            .set_sync_key(
                id,
                AppStateSyncKey {
                    key_data: id.to_vec(),
                    ..Default::default()
                },
            )
            .await
            .unwrap();
    }
    assert_eq!(storage.get_latest_sync_key_id().await.unwrap().unwrap(), b"b");
    assert_eq!(storage.get_sync_key(b"a").await.unwrap().unwrap().key_data, b"a");

    let mut version = storage.get_version("regular").await.unwrap();
    version.version = 7;
    storage.set_version("regular", version).await.unwrap();
    assert_eq!(storage.get_version("regular").await.unwrap().version, 7);

    let mac = |byte: u8| AppStateMutationMAC {
        index_mac: vec![byte; 32],
        value_mac: vec![byte],
    };
    storage
        .put_mutation_macs("regular", 7, &[mac(0), mac(1), mac(255)])
        .await
        .unwrap();
    storage.put_mutation_macs("regular_low", 1, &[mac(1)]).await.unwrap();
    assert_eq!(
        storage
            .get_mutation_macs("regular", &[[0; 32], [9; 32], [255; 32]])
            .await
            .unwrap()
            .len(),
        2
    );
    storage.delete_mutation_macs("regular", &[vec![0; 32]]).await.unwrap();
    assert!(storage.get_mutation_mac("regular", &[0; 32]).await.unwrap().is_none());
    storage.clear_mutation_macs("regular").await.unwrap();
    assert!(storage.get_mutation_mac("regular", &[255; 32]).await.unwrap().is_none());
    assert!(
        storage
            .get_mutation_mac("regular_low", &[1; 32])
            .await
            .unwrap()
            .is_some(),
        "another collection"
    );
}

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

#[tokio::test]
async fn values_are_sealed_for_their_place() {
    let place = Place::new().await;
    let held = place.device().await;
    let records = place.records(&held);
    records
        .put([Plain::new(Space::Session, "a", b"plain text".as_slice())])
        .await
        .unwrap();
    let row = place.store.device_scope(&held).find().one().await.unwrap().unwrap();
    assert!(!row.value.windows(5).any(|window| window == b"plain"));

    let moved = crate::store::Record {
        space: Space::Session.number(),
        key: b"b".to_vec(),
        value: row.value,
        number: None,
        expires_at: None,
    };
    let scope = place.store.device_scope(&held);
    let tx = scope.begin().await.unwrap();
    tx.put([(&scope, moved)]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(records.get(Space::Session, b"a").await.is_ok());
    assert!(records.get(Space::Session, b"b").await.is_err());
}

#[tokio::test]
async fn a_lost_lease_changes_nothing_and_disturbs_nobody() {
    let place = Place::new().await;
    let (stale, healthy) = (place.device().await, place.device().await);
    let stale = Held {
        fence: stale.fence - 1,
        ..stale
    };
    let (old, good) = (place.records(&stale), place.records(&healthy));
    let put = || [Plain::new(Space::Session, "a", b"value".as_slice())];
    let (refused, written) = tokio::join!(old.put(put()), good.put(put()));
    assert!(refused.is_err());
    written.unwrap();
    assert_eq!(place.store.device_scope(&stale).find().count().await.unwrap(), 0);
    assert_eq!(place.store.device_scope(&healthy).find().count().await.unwrap(), 1);
}

#[tokio::test]
async fn writes_take_effect_in_their_order_and_end_with_the_records() {
    let place = Place::new().await;
    let held = place.device().await;
    let records = place.records(&held);
    let put = |value: &'static [u8]| [Plain::new(Space::Session, "a", value)];
    records.put_behind(put(b"1")).await.unwrap();
    records.delete_behind(Space::Session, [b"a".to_vec()]).await.unwrap();
    assert!(records.get(Space::Session, b"a").await.unwrap().is_none());
    records.put_behind(put(b"2")).await.unwrap();
    records.flush().await.unwrap();
    assert_eq!(records.get(Space::Session, b"a").await.unwrap().unwrap(), b"2");
    let (first, second) = tokio::join!(records.put(put(b"3")), records.put(put(b"4")));
    first.unwrap();
    second.unwrap();
    assert_eq!(records.get(Space::Session, b"a").await.unwrap().unwrap(), b"4");

    records.delete_all().await.unwrap();
    assert!(records.put(put(b"5")).await.is_err());
    assert!(records.put_behind(put(b"5")).await.is_err());
    let rows = entity::engine_record::Entity::find().filter(entity::engine_record::Column::DeviceId.eq(held.device));
    let tx = place.store.system(Reason::Provisioning).begin().await.unwrap();
    assert!(rows.all(tx.connection()).await.unwrap().is_empty());
}

/// An outbox with one text.
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
        Ok(found.then(|| OutgoingContent::Text { body: "halo".into() }))
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
    let text = compose(OutgoingContent::Text { body: "halo".into() }, Some(secret));
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
