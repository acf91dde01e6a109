//! Keys, sessions, credentials and app state.

use std::sync::Arc;

use bytes::Bytes;
use wacore::store::{
    Device,
    traits::{AppStateSyncKey, AppSyncStore, DeviceStore, SignalStore},
};
use wacore_appstate::processor::AppStateMutationMAC;

use super::Place;

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
