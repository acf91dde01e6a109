//! Listens to the library: its events go into one bounded queue per device, and those that decide about the connection
//! are noted for the actor.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use tokio::{sync::mpsc, time::Instant};
use wacore::types::events::{ConnectFailureReason, Event, EventHandler, EventInterest, EventKind as Kind};

use super::{EventKind, lanes::Lanes};

/// How many events of one device may wait for translation.
const QUEUE: usize = 2048;
/// Below this many free places, nothing more is read from the network.
const RESERVE: usize = 512;

/// What waits for translation: the library's events, and the actor's own in between.
pub(super) enum Raw {
    Library(Arc<Event>),
    Own(EventKind),
}

/// The sending end of a device's queue. Cheap to clone.
#[derive(Clone)]
pub(super) struct Queue {
    sender: mpsc::Sender<Raw>,
}

impl Queue {
    pub(super) fn new() -> (Self, mpsc::Receiver<Raw>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self { sender }, receiver)
    }

    /// For whoever the queue must not stay open for.
    pub(super) fn watch(&self) -> QueueWatch {
        QueueWatch {
            sender: self.sender.downgrade(),
        }
    }

    /// Tells an event of our own, after those that the library told before.
    pub(super) async fn tell(&self, kind: EventKind) {
        // The pump ends only with its device.
        let _ = self.sender.send(Raw::Own(kind)).await;
    }
}

/// Looks at a queue without keeping it open.
#[derive(Clone)]
pub(super) struct QueueWatch {
    sender: mpsc::WeakSender<Raw>,
}

impl QueueWatch {
    pub(super) fn is_nearly_full(&self) -> bool {
        self.sender.upgrade().is_some_and(|sender| sender.capacity() < RESERVE)
    }
}

/// How a connection ended, when the library said more than that it did.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    Lost(String),
    LoggedOut(String),
    Replaced,
    Banned { reason: String, lasts: Option<TimeDelta> },
    Failed(String),
    QrExhausted,
}

/// What the library said about the connection since the last [`Signals::take`].
#[derive(Default)]
pub(super) struct Signals {
    state: Mutex<State>,
}

/// A connection that is over.
pub(super) struct Past {
    /// The phone accepted the device on it.
    pub(super) paired: bool,
    pub(super) ending: Option<Ending>,
    /// `None` when it never came to a login.
    pub(super) online_for: Option<Duration>,
}

#[derive(Clone, Default)]
struct State {
    online_since: Option<Instant>,
    was_online_since: Option<Instant>,
    paired: bool,
    ending: Option<Ending>,
}

impl Signals {
    /// Logged in and ready to send.
    pub(super) fn is_online(&self) -> bool {
        self.state().online_since.is_some()
    }

    /// Says why a connection that is being lost is lost, when we know more than the library.
    pub(super) fn explain(&self, reason: &str) {
        let mut state = self.state();
        if matches!(state.ending, None | Some(Ending::Lost(_))) {
            state.ending = Some(Ending::Lost(reason.to_owned()));
        }
    }

    /// What became of the connection that just ended.
    pub(super) fn take(&self) -> Past {
        let state = std::mem::take(&mut *self.state());
        let since = state.online_since.or(state.was_online_since);
        Past {
            paired: state.paired,
            ending: state.ending,
            online_for: since.map(|since| since.elapsed()),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, event: &Event) {
        let mut state = self.state();
        let ending = match event {
            Event::Connected(_) => {
                state.online_since = Some(Instant::now());
                return;
            }
            Event::PairSuccess(_) => {
                state.paired = true;
                return;
            }
            Event::Disconnected(end) => Ending::Lost(end.reason.to_string()),
            Event::LoggedOut(end) if end.reason == ConnectFailureReason::AccountLocked => Ending::Banned {
                reason: "the account is locked".to_owned(),
                lasts: None,
            },
            Event::LoggedOut(end) => Ending::LoggedOut(format!("{:?}", end.reason)),
            Event::StreamReplaced(_) => Ending::Replaced,
            Event::TemporaryBan(ban) => Ending::Banned {
                reason: ban.code.to_string(),
                lasts: Some(ban.expire),
            },
            Event::ConnectFailure(failure) => {
                let said = failure.message.clone().unwrap_or_default();
                let reason = format!("{:?} {said}", failure.reason).trim_end().to_owned();
                if failure.reason.should_reconnect() {
                    Ending::Lost(reason)
                } else {
                    Ending::Failed(reason)
                }
            }
            Event::ClientOutdated(_) => Ending::Failed("this version of the client is outdated".to_owned()),
            Event::PairingQrCodesExhausted(_) => Ending::QrExhausted,
            _ => return,
        };
        state.was_online_since = state.online_since.take().or(state.was_online_since);
        // The first verdict stands; the disconnect that follows from it says less.
        if state.ending.is_none() || matches!(state.ending, Some(Ending::Lost(_))) {
            state.ending = Some(ending);
        }
    }
}

/// Subscribed to one client's event bus.
pub(super) struct Listener {
    pub(super) queue: Queue,
    pub(super) signals: Arc<Signals>,
    pub(super) lanes: Arc<Lanes>,
}

impl EventHandler for Listener {
    fn handle_event(&self, event: Arc<Event>) {
        self.signals.note(&event);
        // At once: a dispatcher that is behind must not make a good connection look deaf.
        if let Event::ServerAck(ack) = &*event
            && ack.class.as_deref() == Some("message")
        {
            self.lanes.settle(&ack.id);
        }
        if self.queue.sender.try_send(Raw::Library(event)).is_err() {
            // The reader pauses long before; only events that don't come from the network could do this.
            tracing::error!("a device's event queue is full, an event was dropped");
            metrics::counter!("engine_events_dropped").increment(1);
        }
    }

    fn interest(&self) -> EventInterest {
        EventInterest::of(&[
            Kind::Connected,
            Kind::Disconnected,
            Kind::PairSuccess,
            Kind::PairError,
            Kind::LoggedOut,
            Kind::PairingQrCode,
            Kind::PairingCode,
            Kind::PairingCodeError,
            Kind::PairingQrCodesExhausted,
            Kind::ClientOutdated,
            Kind::Receipt,
            Kind::ServerAck,
            Kind::StreamReplaced,
            Kind::TemporaryBan,
            Kind::ConnectFailure,
            Kind::PushNameUpdate,
            Kind::ContactNumberChanged,
            Kind::GroupUpdate,
        ])
    }
}
