//! Builds one device's client: its storage, its caches, what it listens to.

use std::sync::{Arc, OnceLock};

use tokio::{sync::mpsc, task::JoinHandle};
use wacore::{store::error::StoreError, types::events::Subscription};
use whatsapp_rust::{
    CacheConfig, Client, TokioRuntime, client::ClientBuilderError, store::persistence_manager::PersistenceManager,
};

use super::{
    EngineConfig, EngineEvent,
    addresses::Addresses,
    directory::Directory,
    http::MediaHttp,
    inbound::Inbound,
    lanes::Lanes,
    listener::{Listener, Queue, Signals},
    originals::{Originals, Secrets},
    pump::{Outlet, Pump},
    storage::{Reader, Records, Storage, Writer},
    subjects::Subjects,
    transport::{Dialer, Dialling},
};
use crate::{
    clock::Clock,
    store::{DeviceScope, cipher::Cipher},
};

/// What the sandbox is told; WhatsApp is told the version it publishes.
#[cfg(feature = "sandbox")]
const SANDBOX_VERSION: (u32, u32, u32) = (2, 3000, 1_023_223_821);

/// What all devices of this process share.
pub(super) struct Shared {
    pub(super) config: EngineConfig,
    pub(super) cipher: Cipher,
    pub(super) clock: Clock,
    pub(super) originals: Arc<dyn Originals>,
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) events: mpsc::Sender<EngineEvent>,
    pub(super) dialling: Dialling,
    pub(super) http: MediaHttp,
    pub(super) directory: Arc<Directory>,
}

impl Shared {
    pub(super) fn records(&self, scope: &DeviceScope) -> Records {
        Records::new(
            scope.clone(),
            self.cipher.clone(),
            self.reader.clone(),
            self.writer.clone(),
            self.clock.clone(),
        )
    }
}

/// Why a device's client could not be built.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    #[error("the device's records could not be read: {0}")]
    Storage(#[from] StoreError),
    #[error("the client could not be built: {0}")]
    Client(#[from] ClientBuilderError),
}

/// What others may use of a running device.
pub(super) struct Live {
    pub(super) client: Arc<Client>,
    pub(super) lanes: Arc<Lanes>,
}

/// Filled when the device's client is built.
pub(super) type Slot = Arc<OnceLock<Live>>;

/// A device's client with everything around it.
pub(super) struct Built {
    pub(super) client: Arc<Client>,
    pub(super) lanes: Arc<Lanes>,
    pub(super) signals: Arc<Signals>,
    pub(super) dialer: Arc<Dialer>,
    pub(super) records: Records,
    pub(super) queue: Queue,
    pub(super) subscription: Subscription,
    pub(super) pump: JoinHandle<()>,
}

impl Built {
    pub(super) fn is_linked(&self) -> bool {
        self.client.pn().is_some()
    }
}

pub(super) async fn build(shared: &Shared, scope: &DeviceScope, outlet: Outlet) -> Result<Built, BuildError> {
    let records = shared.records(scope);
    let secrets = Secrets::default();
    let storage = Storage::new(records.clone(), Arc::clone(&shared.originals), secrets.clone());
    let persistence = PersistenceManager::new(Arc::new(storage)).await?;
    secrets.set(*persistence.get_device_snapshot().identity_key.private_key.serialize());
    let (queue, receiver) = Queue::new();
    let signals = Arc::new(Signals::default());
    let dialer = Arc::new(Dialer::new(shared.dialling.clone(), queue.watch()));

    let subjects = Subjects::new(outlet.clone());
    let builder = Client::builder()
        .with_runtime(TokioRuntime)
        .with_persistence_manager(Arc::new(persistence))
        .with_transport_factory_arc(Arc::clone(&dialer) as _)
        .with_http_client(shared.http.clone())
        .with_cache_config(caches())
        .with_inbound_durability_hook(Inbound::new(outlet.clone(), Arc::clone(&subjects)))
        .with_skip_history_sync(true)
        .with_wanted_pre_key_count(shared.config.pre_keys)
        .with_background_saver_interval(std::time::Duration::from_mins(5));
    #[cfg(feature = "sandbox")]
    let builder = builder.with_version_override(SANDBOX_VERSION);
    let client = builder.build().await?.into_client();
    // Otherwise recipients' clients see deliveries as those of a phone that is switched off.
    client.set_force_active_delivery_receipts(true);

    let directory = Arc::clone(&shared.directory);
    let lanes = Lanes::new(
        Arc::clone(&client),
        Arc::clone(&signals),
        directory,
        secrets,
        Arc::clone(&subjects),
    );
    let listener = Listener {
        queue: queue.clone(),
        signals: Arc::clone(&signals),
        lanes: Arc::clone(&lanes),
    };
    let subscription = client.subscribe_handler(Arc::new(listener));
    let pump = Pump {
        outlet,
        client: Arc::clone(&client),
        records: records.clone(),
        addresses: Addresses::new(Arc::clone(&client)),
        subjects,
    };
    let pump = tokio::spawn(pump.run(receiver));
    Ok(Built {
        client,
        lanes,
        signals,
        dialer,
        records,
        queue,
        subscription,
        pump,
    })
}

/// The library's caches are made for one account per process; ours share it with hundreds.
fn caches() -> CacheConfig {
    let mut caches = CacheConfig::default();
    caches.device_registry_cache.capacity = 2_000;
    caches.group_cache.capacity = 100;
    caches.session_locks_capacity = 4_000;
    caches.chat_lanes_capacity = 2_000;
    caches.resend_rate_limiter_capacity = 512;
    caches.seed_msg_secrets_from_history = false;
    caches
}
