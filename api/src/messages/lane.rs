//! What one device's sending loop shares with those who tell it things, and what all loops work with.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError, atomic::AtomicBool},
};

use tokio::sync::{Notify, watch};

use super::{
    claims::{Claimed, Claims},
    pacing::Pacing,
    recent::Recent,
    waiting::Waiting,
};
use crate::{clock::Clock, devices::LeasedDevice, engine, events::EventLog, store::Store, tenants::Profiles};

/// How devices send.
#[derive(Clone, Copy, Debug)]
pub struct SendingOptions {
    /// At most so many messages of a device wait for the server's ack.
    pub window: usize,
    /// The least time between two messages of a device.
    pub pacing: Pacing,
}

/// What the loops work with.
pub struct Parts {
    pub store: Store,
    pub clock: Clock,
    pub events: EventLog,
    pub engine: engine::Handle,
    pub waiting: Waiting,
    pub recent: Recent,
    pub profiles: Profiles,
    pub claims: Claims,
    pub options: SendingOptions,
}

/// What one device's loop shares with those who tell it things.
pub struct Lane {
    pub lease: LeasedDevice,
    /// Work may have come.
    pub wake: Notify,
    /// Counts connections; `None` while there is none.
    pub connection: watch::Sender<Option<u64>>,
    /// WhatsApp ids that wait for the server's ack.
    in_flight: Mutex<HashSet<String>>,
    /// The loop waits for acks: only then is one worth waking it for.
    pub full: AtomicBool,
}

impl Lane {
    /// A device without a connection.
    pub fn new(lease: LeasedDevice) -> Self {
        let (connection, _) = watch::channel(None);
        Self {
            lease,
            wake: Notify::new(),
            connection,
            in_flight: Mutex::default(),
            full: AtomicBool::new(false),
        }
    }

    /// How many wait for the server's ack.
    pub fn in_flight(&self) -> usize {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Nothing waits for it.
    pub fn is_idle(&self) -> bool {
        self.in_flight() == 0
    }

    /// These are about to leave.
    pub fn expect_acks(&self, messages: &[Claimed]) {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        in_flight.extend(messages.iter().map(|message| message.whatsapp_id.clone()));
    }

    /// These are acknowledged, or did not leave.
    pub fn expect_no_acks<'a>(&self, whatsapp_ids: impl IntoIterator<Item = &'a String>) {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        for whatsapp_id in whatsapp_ids {
            in_flight.remove(whatsapp_id);
        }
    }

    /// Nothing that was on its way is acknowledged any more.
    pub fn forget_acks(&self) {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
