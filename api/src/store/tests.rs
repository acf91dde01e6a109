//! What the scopes promise.

use chrono::DateTime;
use entity::{DeviceId, TenantId, device, event, tenant};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, sea_query::Expr};

use super::*;
use crate::clock::new_id;

struct Somebody(TenantId);

impl ScopeOrigin for Somebody {
    fn tenant_id(&self) -> TenantId {
        self.0
    }
}

/// A fresh SQLite database with two tenants, each with one device.
async fn two_tenants(folder: &tempfile::TempDir) -> (Store, [(TenantScope, DeviceId); 2]) {
    let url = format!("sqlite://{}/kabar.db", folder.path().display());
    let store = Store::open(&DatabaseOptions::at(url)).await.expect("a database opens");
    store.migrate().await.expect("it migrates");
    let mut scopes = Vec::new();
    for slug in ["acme", "other"] {
        let id: TenantId = new_id();
        let tx = store.system(Reason::Provisioning).begin().await.expect("it begins");
        let row = tenant::ActiveModel {
            id: Set(id),
            name: Set(slug.into()),
            slug: Set(slug.into()),
            status: Set(tenant::Status::Active),
            default_country: Set("ID".into()),
            default_language: Set("id".into()),
            time_zone: Set("Asia/Jakarta".into()),
            plan_id: Set(None),
            limit_overrides: Set(serde_json::json!({})),
            suspended_at: Set(None),
            suspension_reason: Set(None),
            created_at: Set(DateTime::UNIX_EPOCH),
            updated_at: Set(DateTime::UNIX_EPOCH),
        };
        tenant::Entity::insert(row)
            .exec_without_returning(tx.connection())
            .await
            .expect("a tenant is made");
        tx.commit().await.expect("it commits");
        let scope = store.scope(&Somebody(id));
        let device = add_device(&scope, slug).await;
        scopes.push((scope, device));
    }
    (store, scopes.try_into().expect("two tenants"))
}

async fn add_device(scope: &TenantScope, name: &str) -> DeviceId {
    let tx = scope.begin().await.expect("it begins");
    let row = device::ActiveModel {
        id: Set(new_id()),
        // Whatever stands here, the transaction writes its own tenant.
        tenant_id: Set(new_id()),
        name: Set(name.into()),
        tags: Set(serde_json::json!(["a"])),
        status: Set(device::Status::Created),
        status_since: Set(DateTime::UNIX_EPOCH),
        wanted: Set(false),
        linked: Set(false),
        connection_attempts: Set(0),
        lease_fence: Set(0),
        created_at: Set(DateTime::UNIX_EPOCH),
        updated_at: Set(DateTime::UNIX_EPOCH),
        ..Default::default()
    };
    let row = tx.insert::<device::Entity, _>(row).await.expect("a device is made");
    tx.commit().await.expect("it commits");
    assert_eq!(row.tenant_id, scope.tenant_id());
    row.id
}

#[tokio::test]
async fn a_tenant_reads_only_its_own_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_store, [(acme, acme_device), (other, other_device)]) = two_tenants(&folder).await;
    assert!(
        acme.find_by_id::<device::Entity>(acme_device)
            .await
            .expect("it reads")
            .is_some()
    );
    assert!(
        acme.find_by_id::<device::Entity>(other_device)
            .await
            .expect("it reads")
            .is_none()
    );
    let everything = Condition::any()
        .add(device::Column::Id.eq(other_device))
        .add(device::Column::TenantId.eq(other.tenant_id()));
    assert!(
        acme.find::<device::Entity>()
            .filter(everything)
            .all()
            .await
            .expect("it reads")
            .is_empty()
    );
}

#[tokio::test]
async fn a_tenant_changes_and_deletes_only_its_own_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_store, [(acme, _), (other, other_device)]) = two_tenants(&folder).await;
    let theirs = || {
        Condition::any()
            .add(device::Column::TenantId.eq(other.tenant_id()))
            .add(Expr::value(true))
    };
    let tx = acme.begin().await.expect("it begins");
    let renamed = tx
        .update::<device::Entity>()
        .set(device::Column::Name, "mine now")
        .filter(theirs());
    assert_eq!(renamed.execute().await.expect("it runs"), 1);
    assert_eq!(tx.delete::<device::Entity>(theirs()).await.expect("it runs"), 1);
    tx.commit().await.expect("it commits");
    let row = other
        .find_by_id::<device::Entity>(other_device)
        .await
        .expect("it reads")
        .expect("it is still there");
    assert_eq!(row.name, "other");
}

#[tokio::test]
async fn the_tenant_column_cannot_be_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_store, [(acme, _), (other, _)]) = two_tenants(&folder).await;
    let tx = acme.begin().await.expect("it begins");
    let moved = tx
        .update::<device::Entity>()
        .set(device::Column::TenantId, other.tenant_id());
    assert!(moved.execute().await.is_err());
}

#[tokio::test]
async fn a_row_cannot_refer_to_another_tenants_device() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_store, [(acme, _), (_, other_device)]) = two_tenants(&folder).await;
    let tx = acme.begin().await.expect("it begins");
    let row = entity::chat::ActiveModel {
        id: Set(new_id()),
        device_id: Set(other_device),
        jid: Set("628@s.whatsapp.net".into()),
        kind: Set(entity::chat::Kind::Direct),
        unread_count: Set(0),
        created_at: Set(DateTime::UNIX_EPOCH),
        ..Default::default()
    };
    assert!(tx.insert::<entity::chat::Entity, _>(row).await.is_err());
}

#[tokio::test]
async fn event_numbers_have_no_gap_when_transactions_fail() {
    use crate::events::{Bus, EventLog, NewEvent};
    let folder = tempfile::tempdir().expect("a folder");
    let (_store, [(acme, device), _]) = two_tenants(&folder).await;
    let log = EventLog::new(crate::clock::Clock::system(), Bus::default());
    let told = || NewEvent::of_device(event::Type::DeviceStatus, device, serde_json::Value::Null);
    for round in 0..3 {
        let tx = acme.begin().await.expect("it begins");
        log.commit(tx, vec![told(), told()]).await.expect("it commits");
        let tx = acme.begin().await.expect("it begins");
        // The event cannot be written, so its number is given back.
        let broken = NewEvent {
            data: serde_json::Value::Null,
            ..told()
        };
        tx.insert_many::<event::Entity, _>(vec![event::ActiveModel {
            sequence: Set(round * 2 + 3),
            r#type: Set(event::Type::DeviceQr),
            at: Set(DateTime::UNIX_EPOCH),
            data: Set(serde_json::Value::Null),
            ..Default::default()
        }])
        .await
        .expect("the number is free");
        assert!(log.commit(tx, vec![broken]).await.is_err());
    }
    let rows = acme
        .find::<event::Entity>()
        .order_by(event::Column::Sequence, sea_orm::Order::Asc)
        .all()
        .await;
    let numbers: Vec<i64> = rows.expect("it reads").into_iter().map(|row| row.sequence).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
}

/// Somebody who may see one device only.
struct Narrow(TenantId, DeviceId);

impl ScopeOrigin for Narrow {
    fn tenant_id(&self) -> TenantId {
        self.0
    }

    fn devices(&self) -> Option<std::sync::Arc<[DeviceId]>> {
        Some([self.1].into())
    }
}

#[tokio::test]
async fn a_scope_of_one_device_reaches_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, [(scope, first), _]) = two_tenants(&folder).await;
    let second = add_device(&scope, "second").await;
    let narrow = store.scope(&Narrow(scope.tenant_id(), first));
    let found = narrow.find::<device::Entity>().all().await.expect("it reads");
    assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [first]);
    let other = narrow.find_by_id::<device::Entity>(second).await.expect("it reads");
    assert!(other.is_none());

    let tx = narrow.begin().await.expect("it begins");
    let renamed = tx
        .update::<device::Entity>()
        .set(device::Column::Name, "mine")
        .filter(device::Column::Id.eq(second))
        .execute()
        .await;
    assert_eq!(renamed.ok(), Some(0));
    let deleted = tx.delete::<device::Entity>(device::Column::Id.eq(second)).await;
    assert_eq!(deleted.ok(), Some(0));
    let event = |device_id: Option<DeviceId>, sequence| event::ActiveModel {
        tenant_id: Set(scope.tenant_id()),
        sequence: Set(sequence),
        r#type: Set(event::Type::DeviceStatus),
        at: Set(DateTime::UNIX_EPOCH),
        device_id: Set(device_id),
        chat_id: Set(None),
        message_id: Set(None),
        data: Set(serde_json::Value::Null),
    };
    let foreign = tx.insert_many::<event::Entity, _>(vec![event(Some(second), 1)]).await;
    assert!(foreign.is_err());
    let own = vec![event(Some(first), 1), event(None, 2)];
    tx.insert_many::<event::Entity, _>(own).await.expect("it reaches both");
}
