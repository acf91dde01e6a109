//! One loop per device drains its outbox while it is connected.
//!
//! **Invariant:** a message is SENDING in the database before the engine sees it, and leaves that state only by the
//! server's ack, a failure, or when it is queued again for another attempt with the same id.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use entity::DeviceId;
use sea_orm::DbErr;
use tokio::sync::watch;

use super::{
    attempts,
    claims::{Claims, Room, Taken},
    departure::{named, send_all, settle},
    lane::{Lane, Parts, SendingOptions},
    recent::Recent,
    waiting::Waiting,
};
use crate::{
    clock::Clock,
    devices::LeasedDevice,
    engine,
    events::EventLog,
    store::{Store, until_written},
    tenants::Profiles,
};

/// How often the loops of a suspended tenant look whether it may send again.
const SUSPENDED: Duration = Duration::from_secs(1);

/// The sending loops of this node. Cheap to clone.
#[derive(Clone)]
pub struct Senders {
    parts: Arc<Parts>,
    lanes: Arc<Mutex<HashMap<DeviceId, Arc<Lane>>>>,
    /// Numbers connections, so that a loop tells a new one from the one it knows.
    connections: Arc<AtomicU64>,
}

impl Senders {
    /// No loop yet: they begin with the first connection of each device.
    pub fn new(
        store: Store,
        clock: Clock,
        events: EventLog,
        engine: engine::Handle,
        waiting: Waiting,
        recent: Recent,
        profiles: Profiles,
        options: SendingOptions,
    ) -> Self {
        let parts = Parts {
            claims: Claims::start(&store, &clock),
            store,
            clock,
            events,
            engine,
            waiting,
            recent,
            profiles,
            options,
        };
        Self {
            parts: Arc::new(parts),
            lanes: Arc::default(),
            connections: Arc::default(),
        }
    }

    /// A device can send.
    pub fn connected(&self, lease: LeasedDevice) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes
            .get(&lease.id())
            .filter(|lane| lane.lease == lease)
            .cloned()
            .unwrap_or_else(|| {
                let lane = Arc::new(Lane::new(lease));
                // A lane of an older lease ends when its sender is dropped from the map.
                if let Some(old) = lanes.insert(lease.id(), lane.clone()) {
                    old.connection.send_replace(None);
                    old.wake.notify_one();
                }
                tokio::spawn(run(
                    self.parts.clone(),
                    Arc::downgrade(&lane),
                    lane.connection.subscribe(),
                ));
                lane
            });
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        lane.connection.send_replace(Some(number));
    }

    /// A device cannot send for now.
    pub fn disconnected(&self, id: DeviceId) {
        if let Some(lane) = self.lane(id) {
            lane.connection.send_replace(None);
        }
    }

    /// A device is gone from this node.
    pub fn forget(&self, id: DeviceId) {
        let lane = self.lanes.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if let Some(lane) = lane {
            lane.connection.send_replace(None);
            lane.wake.notify_one();
        }
    }

    /// There may be something to send.
    pub fn wake(&self, id: DeviceId) {
        if let Some(lane) = self.lane(id) {
            lane.wake.notify_one();
        }
    }

    /// These are no longer waited for: acknowledged, refused, or to be sent again.
    pub fn settled<'a>(&self, id: DeviceId, whatsapp_ids: impl IntoIterator<Item = &'a String>) {
        if let Some(lane) = self.lane(id) {
            lane.expect_no_acks(whatsapp_ids);
            if lane.full.load(Ordering::SeqCst) {
                lane.wake.notify_one();
            }
        }
    }

    /// The engine cannot tell what became of these: they are sent again with the same ids.
    pub async fn unconfirmed(&self, lease: LeasedDevice, whatsapp_ids: Vec<String>) {
        let store = &self.parts.store;
        if let Err(error) = until_written(store, || attempts::requeue(store, &lease, &whatsapp_ids)).await {
            tracing::error!(%error, device = %lease.id(), "could not queue unconfirmed messages again");
        }
        self.settled(lease.id(), &whatsapp_ids);
    }

    /// Takes no further work and waits, at most `patience`, for the acks of what is on the wire.
    pub async fn drain(&self, patience: Duration) {
        let lanes: Vec<Arc<Lane>> = self
            .lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain()
            .map(|(_, lane)| lane)
            .collect();
        for lane in &lanes {
            lane.connection.send_replace(None);
        }
        let deadline = tokio::time::Instant::now() + patience;
        for lane in lanes {
            while !lane.is_idle() && tokio::time::Instant::now() < deadline {
                let _ = tokio::time::timeout(Duration::from_millis(50), lane.wake.notified()).await;
            }
        }
    }

    fn lane(&self, id: DeviceId) -> Option<Arc<Lane>> {
        self.lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }
}

/// A device's loop. It ends when the lane is dropped.
async fn run(parts: Arc<Parts>, lane: std::sync::Weak<Lane>, mut connection: watch::Receiver<Option<u64>>) {
    let mut seen = None;
    loop {
        let Ok(current) = connection.wait_for(Option::is_some).await.map(|current| *current) else {
            return;
        };
        let Some(lane) = lane.upgrade() else { return };
        let step = async {
            if seen != current {
                // A new connection: nothing that was on its way is confirmed any more.
                lane.forget_acks();
            }
            let mut fresh = seen != current;
            let drained = drain_once(&parts, &lane, &mut fresh).await;
            if !fresh {
                seen = current;
            }
            drained
        };
        let due = match step.await {
            Ok(Drained::Some) => continue,
            Ok(Drained::Full) => None,
            Ok(Drained::Empty(due)) => due,
            Ok(Drained::Suspended) => {
                // Its messages stay queued. The lane is let go, so that it can end meanwhile.
                drop(lane);
                let _ = tokio::time::timeout(SUSPENDED, connection.changed()).await;
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, device = %lane.lease.id(), "could not read the outbox; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        tokio::select! {
            () = lane.wake.notified() => {}
            () = until(&parts.clock, due) => {}
            _ = connection.changed() => {}
        }
    }
}

/// What one look at the outbox came to.
enum Drained {
    /// Messages were sent.
    Some,
    /// Too many wait for the server's ack.
    Full,
    /// Nothing is due before this moment, when there is one.
    Empty(Option<DateTime<Utc>>),
    /// The tenant is suspended.
    Suspended,
}

/// Ends at `due`; never, when there is none.
async fn until(clock: &Clock, due: Option<DateTime<Utc>>) {
    match due {
        Some(due) => tokio::time::sleep((due - clock.now()).to_std().unwrap_or_default()).await,
        None => std::future::pending().await,
    }
}

/// Claims what fits into the window and hands it to the engine. `fresh` until the first claim on this connection.
async fn drain_once(parts: &Parts, lane: &Lane, fresh: &mut bool) -> Result<Drained, Arc<DbErr>> {
    let claim = async |most: usize, fresh: &mut bool| {
        let room = Room {
            lease: lane.lease,
            most: most as u64,
            fresh: *fresh,
        };
        let taken = parts.claims.claim(room).await?;
        *fresh = false;
        Ok::<_, Arc<DbErr>>(taken)
    };
    if !parts.profiles.may_send(lane.lease.tenant()).await.map_err(Arc::new)? {
        if *fresh {
            claim(0, fresh).await?;
        }
        return Ok(Drained::Suspended);
    }
    let window = parts.options.window;
    // Set before the acks are counted, so that none is missed in between.
    lane.full.store(true, Ordering::SeqCst);
    let free = window.saturating_sub(lane.in_flight());
    let most = if parts.options.pacing.is_off() {
        // Half a window at least: a claim is a transaction, and acks come one by one.
        if free >= window.div_ceil(2) { free } else { 0 }
    } else {
        free.min(1)
    };
    if most == 0 {
        return Ok(Drained::Full);
    }
    lane.full.store(false, Ordering::SeqCst);
    let Taken { messages, next_due } = claim(most, fresh).await?;
    if messages.is_empty() {
        return Ok(Drained::Empty(next_due));
    }
    lane.expect_acks(&messages);
    parts.recent.remember(lane.lease.id(), messages.iter().map(named));
    let outcomes = send_all(parts, lane, messages).await;
    settle(parts, lane, outcomes).await.map_err(Arc::new)?;
    if !parts.options.pacing.is_off() {
        tokio::time::sleep(parts.options.pacing.next_gap()).await;
    }
    Ok(Drained::Some)
}
