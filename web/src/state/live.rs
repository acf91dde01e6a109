//! The live feed: one websocket, one `events` subscription for the whole console, handed to whoever listens.
//!
//! **Invariant:** after a reconnect the feed continues after the last cursor seen, so a page that patches itself from
//! events misses nothing. `epoch` grows with every connection for pages that would rather load again.

use std::{cell::RefCell, rc::Rc};

use cynic::SubscriptionBuilder;
use leptos::prelude::*;
use serde::de::DeserializeOwned;

use super::session::Session;
use crate::api::{
    client,
    error::ApiError,
    events::{Event, Feed, FeedVariables},
    socket::{Connection, Notice, Socket, Subscribed},
    values::Cursor,
};

/// What pages see of it.
#[derive(Clone, Copy)]
pub struct Live {
    pub connection: RwSignal<Connection>,
    pub epoch: RwSignal<u32>,
    /// Grows when events may have been missed, so that what was loaded before may be out of date.
    pub gaps: RwSignal<u32>,
}

type Listener = Rc<dyn Fn(&Event)>;

#[derive(Default)]
struct Running {
    socket: Option<Socket>,
    feed: Option<Subscribed>,
    cursor: Option<Cursor>,
    listeners: Vec<(u32, Listener)>,
    last_listener: u32,
    live: Option<Live>,
}

thread_local! {
    static RUNNING: RefCell<Running> = RefCell::new(Running::default());
}

impl Live {
    pub fn provide() -> Self {
        let this = Self {
            connection: RwSignal::new(Connection::Stopped),
            epoch: RwSignal::new(0),
            gaps: RwSignal::new(0),
        };
        RUNNING.with_borrow_mut(|running| running.live = Some(this));
        provide_context(this);
        this
    }
}

pub fn use_live() -> Live {
    expect_context()
}

pub fn start(session: Session) {
    let Some(live) = RUNNING.with_borrow(|running| running.live) else {
        return;
    };
    if RUNNING.with_borrow(|running| running.socket.is_some()) {
        return;
    }
    let socket = Socket::start(move |notice| match notice {
        Notice::Changed(connection) => {
            live.connection.set(connection);
            if connection == Connection::Live {
                live.epoch.update(|epoch| *epoch += 1);
            }
        }
        Notice::SignedOut => session.leave(),
    });
    RUNNING.with_borrow_mut(|running| running.socket = Some(socket.clone()));
    let feed = subscribe_on(
        &socket,
        || {
            Feed::build(FeedVariables {
                after: RUNNING.with_borrow(|running| running.cursor.clone()),
            })
        },
        move |answer: Result<Feed, ApiError>| match answer {
            Ok(feed) => dispatch(&feed.events),
            // A token that expired, or a cursor too old to continue from: begin anew, where pages load again.
            Err(error) => {
                let signed_out = error == ApiError::SignedOut;
                if !signed_out {
                    live.gaps.update(|gaps| *gaps += 1);
                }
                let socket = RUNNING.with_borrow_mut(|running| {
                    if !signed_out {
                        running.cursor = None;
                    }
                    running.socket.clone()
                });
                if let Some(socket) = socket {
                    socket.restart(signed_out);
                }
            }
        },
    );
    RUNNING.with_borrow_mut(|running| running.feed = Some(feed));
}

pub fn stop() {
    let (socket, feed, live) = RUNNING.with_borrow_mut(|running| {
        running.cursor = None;
        (running.socket.take(), running.feed.take(), running.live)
    });
    if let Some(socket) = socket {
        socket.stop();
    }
    drop(feed);
    if let Some(live) = live {
        live.connection.set(Connection::Stopped);
    }
}

/// Reconnects now.
pub fn hurry() {
    if let Some(socket) = RUNNING.with_borrow(|running| running.socket.clone()) {
        socket.hurry();
    }
}

fn dispatch(event: &Event) {
    let listeners: Vec<Listener> = RUNNING.with_borrow_mut(|running| {
        if let Some(cursor) = event.cursor() {
            running.cursor = Some(cursor.clone());
        }
        running.listeners.iter().map(|(_, listener)| listener.clone()).collect()
    });
    for listener in listeners {
        listener(event);
    }
}

/// Hands every event to `listener` until the current owner (page, component) is gone.
pub fn on_event(listener: impl Fn(&Event) + 'static) {
    let id = RUNNING.with_borrow_mut(|running| {
        running.last_listener += 1;
        running.listeners.push((running.last_listener, Rc::new(listener)));
        running.last_listener
    });
    on_cleanup(move || RUNNING.with_borrow_mut(|running| running.listeners.retain(|(known, _)| *known != id)));
}

/// Another subscription on the same socket, until the current owner is gone.
pub fn subscribe<Data, Variables>(
    operation: impl Fn() -> cynic::StreamingOperation<Data, Variables> + 'static,
    next: impl Fn(Data) + 'static,
) where
    Data: DeserializeOwned + 'static,
    Variables: serde::Serialize + 'static,
{
    let Some(socket) = RUNNING.with_borrow(|running| running.socket.clone()) else {
        return;
    };
    let subscribed = subscribe_on(&socket, operation, move |answer: Result<Data, ApiError>| {
        if let Ok(data) = answer {
            next(data);
        }
    });
    let kept = StoredValue::new_local(Some(subscribed));
    on_cleanup(move || drop(kept.try_update_value(Option::take)));
}

fn subscribe_on<Data, Variables>(
    socket: &Socket,
    operation: impl Fn() -> cynic::StreamingOperation<Data, Variables> + 'static,
    next: impl Fn(Result<Data, ApiError>) + 'static,
) -> Subscribed
where
    Data: DeserializeOwned + 'static,
    Variables: serde::Serialize + 'static,
{
    socket.subscribe(
        move || client::encode(&operation()).unwrap_or_default(),
        move |payload| {
            let answer = match payload {
                Some(payload) => client::decode::<Data>(payload),
                None => Err(ApiError::Failed {
                    code: None,
                    message: String::new(),
                }),
            };
            next(answer);
        },
    )
}
