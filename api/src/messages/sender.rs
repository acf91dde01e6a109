//! One loop per device drains its outbox while it is connected.
//!
//! **Invariant:** a message is SENDING in the database before the engine sees it, and leaves that state only by the
//! server's ack, a failure, or when it is queued again for another attempt with the same id.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{ChatId, DeviceId, MessageId};
use futures::{StreamExt, stream};
use sea_orm::DbErr;
use tokio::sync::{Notify, watch};
use tracing::Instrument;

use super::{
    addressing,
    attempts::{self, Failure},
    claims::{Claimed, Claims, Room, Taken},
    pacing::Pacing,
    recent::{Recent, Sent},
    waiting::Waiting,
};
use crate::{
    clock::Clock,
    devices::LeasedDevice,
    engine::{self, SendError},
    events::EventLog,
    store::{Store, until_written},
    telemetry::spans,
    tenants::Profiles,
};

/// How many chats of one device are written to at the same time. Within a chat messages keep their order.
const CHATS_AT_ONCE: usize = 32;
/// How often the loops of a suspended tenant look whether it may send again.
const SUSPENDED: Duration = Duration::from_secs(1);
/// After so many attempts a message that cannot be prepared fails.
const MOST_ATTEMPTS: i32 = 8;

/// How devices send.
#[derive(Clone, Copy, Debug)]
pub struct SendingOptions {
    /// At most so many messages of a device wait for the server's ack.
    pub window: usize,
    /// The least time between two messages of a device.
    pub pacing: Pacing,
}

/// The sending loops of this node. Cheap to clone.
#[derive(Clone)]
pub struct Senders {
    parts: Arc<Parts>,
    lanes: Arc<Mutex<HashMap<DeviceId, Arc<Lane>>>>,
    /// Numbers connections, so that a loop tells a new one from the one it knows.
    connections: Arc<AtomicU64>,
}

struct Parts {
    store: Store,
    clock: Clock,
    events: EventLog,
    engine: engine::Handle,
    waiting: Waiting,
    recent: Recent,
    profiles: Profiles,
    claims: Claims,
    options: SendingOptions,
}

/// What one device's loop shares with those who tell it things.
struct Lane {
    lease: LeasedDevice,
    /// Work may have come.
    wake: Notify,
    /// Counts connections; `None` while there is none.
    connection: watch::Sender<Option<u64>>,
    /// WhatsApp ids that wait for the server's ack.
    in_flight: Mutex<HashSet<String>>,
    /// The loop waits for acks: only then is one worth waking it for.
    full: AtomicBool,
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
            let mut in_flight = lane.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
            for whatsapp_id in whatsapp_ids {
                in_flight.remove(whatsapp_id);
            }
            drop(in_flight);
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

impl Lane {
    fn new(lease: LeasedDevice) -> Self {
        let (connection, _) = watch::channel(None);
        Self {
            lease,
            wake: Notify::new(),
            connection,
            in_flight: Mutex::default(),
            full: AtomicBool::new(false),
        }
    }

    fn in_flight(&self) -> usize {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn is_idle(&self) -> bool {
        self.in_flight() == 0
    }

    fn expect_acks(&self, messages: &[Claimed]) {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        in_flight.extend(messages.iter().map(|message| message.whatsapp_id.clone()));
    }

    fn forget_acks(&self) {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).clear();
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

/// Sends chats side by side and the messages of a chat one after the other. Answers those that did not leave.
async fn send_all(parts: &Parts, lane: &Lane, messages: Vec<Claimed>) -> Vec<(Claimed, SendError)> {
    let mut chats: Vec<(ChatId, Vec<Claimed>)> = Vec::new();
    let mut places: HashMap<ChatId, usize> = HashMap::new();
    for message in messages {
        let place = *places.entry(message.chat_id).or_insert_with(|| {
            chats.push((message.chat_id, Vec::new()));
            chats.len() - 1
        });
        chats[place].1.push(message);
    }
    let failed = stream::iter(chats).map(|(_, messages)| async move {
        let mut failed = Vec::new();
        for message in messages {
            let span = spans::message_send(lane.lease.tenant(), lane.lease.id(), message.id, message.attempts);
            if let Err(error) = send(parts, &lane.lease, &message).instrument(span.clone()).await {
                spans::failed(&span, error.kind());
                failed.push((message, error));
            }
        }
        failed
    });
    failed.buffer_unordered(CHATS_AT_ONCE).concat().await
}

fn named(message: &Claimed) -> (&str, Sent) {
    let sent = Sent {
        id: message.id,
        chat_id: message.chat_id,
    };
    (&message.whatsapp_id, sent)
}

async fn send(parts: &Parts, lease: &LeasedDevice, message: &Claimed) -> Result<(), SendError> {
    let outgoing = addressing::outgoing(&parts.store, &parts.engine, lease, message).await?;
    parts.engine.send(lease.id(), outgoing).await
}

/// Writes down what did not leave.
async fn settle(parts: &Parts, lane: &Lane, failed: Vec<(Claimed, SendError)>) -> Result<(), DbErr> {
    if failed.is_empty() {
        return Ok(());
    }
    let now = parts.clock.now();
    let mut unsent: Vec<MessageId> = Vec::new();
    let mut failures: Vec<(MessageId, Failure)> = Vec::new();
    {
        let mut in_flight = lane.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        for (message, _) in &failed {
            in_flight.remove(&message.whatsapp_id);
        }
    }
    for (message, error) in failed {
        match error {
            SendError::NotConnected => unsent.push(message.id),
            SendError::Failed(_) | SendError::Timeout | SendError::Transport if message.attempts < MOST_ATTEMPTS => {
                let pause = TimeDelta::seconds(1 << message.attempts.clamp(0, 8));
                attempts::postpone(&parts.store, &lane.lease, message.id, now + pause).await?;
            }
            // The outcome is unknown, so this cannot be called a failure: it waits for the next connection.
            SendError::Timeout | SendError::Transport => {}
            SendError::NotOnWhatsApp => {
                failures.push((
                    message.id,
                    failure("NOT_ON_WHATSAPP", "The number has no WhatsApp account."),
                ));
            }
            SendError::Address => {
                failures.push((message.id, failure("INVALID_ADDRESS", "WhatsApp has no such address.")));
            }
            SendError::Rejected(reason) => failures.push((message.id, failure("REJECTED", &reason))),
            SendError::Failed(reason) => failures.push((message.id, failure("SEND_FAILED", &reason))),
        }
    }
    if !unsent.is_empty() {
        attempts::give_back(&parts.store, &lane.lease, &unsent).await?;
        // The engine knows sooner than the news of it comes here.
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    if !failures.is_empty() {
        attempts::fail(&parts.store, &parts.events, &lane.lease, &failures, now).await?;
        for (id, _) in &failures {
            parts.waiting.changed(*id);
        }
    }
    Ok(())
}

fn failure(code: &'static str, message: &str) -> Failure {
    Failure {
        code,
        message: message.to_owned(),
        number: None,
    }
}
