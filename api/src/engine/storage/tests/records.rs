//! Sealing, the order of writes, leases, and reads of many devices at once.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    super::{Space, records::Plain},
    Held, Place,
};
use crate::store::Reason;

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

#[tokio::test]
async fn devices_that_read_at_the_same_moment_get_their_own() {
    let place = Place::new().await;
    let mut devices = Vec::new();
    for number in 0..40_u8 {
        let storage = place.storage().await;
        let numbered = |id: u8| Plain::new(Space::PreKey, [id], [number, id]).numbered(i64::from(id));
        // The last of them have more than a few.
        let keys = (0..=number).map(numbered).collect::<Vec<_>>();
        storage.records.put(keys).await.unwrap();
        devices.push(storage.records);
    }
    let reads = devices.iter().zip(0..).map(|(records, number): (_, u8)| async move {
        let next = [number + 1];
        let (same, missing, highest, all) = tokio::join!(
            records.get(Space::PreKey, &[0]),
            records.get(Space::PreKey, &next),
            records.highest(Space::PreKey),
            records.list(Space::PreKey, &[]),
        );
        assert_eq!(same.unwrap(), Some(vec![number, 0]));
        assert_eq!(missing.unwrap(), None);
        assert_eq!(highest.unwrap(), Some((vec![number], i64::from(number))));
        let mut all = all.unwrap();
        all.sort();
        let expected: Vec<_> = (0..=number).map(|id| (vec![id], vec![number, id])).collect();
        assert_eq!(all, expected);
    });
    futures::future::join_all(reads).await;
}
