//! One websocket for all subscriptions (`graphql-transport-ws`), which comes back by itself.
//!
//! **Invariant:** a subscription outlives the connection: after every reconnect it is sent again, with the operation
//! made anew, so that it can continue where it stopped.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use gloo_timers::callback::{Interval, Timeout};
use serde::Deserialize;
use serde_json::value::RawValue;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::{error::ApiError, token};

const FIRST_DELAY_MS: u32 = 500;
const LONGEST_DELAY_MS: u32 = 15_000;
const PING_MS: u32 = 20_000;

/// Close codes: the connection broke, or the server does not take the token.
const ABNORMAL: u16 = 1006;
const UNAUTHORIZED: u16 = 4401;
const FORBIDDEN: u16 = 4403;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    Connecting,
    Live,
    Waiting,
    Stopped,
}

/// What the socket tells its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    Changed(Connection),
    /// The session is over; nobody can reconnect.
    SignedOut,
}

struct Subscription {
    /// Makes the operation's JSON.
    operation: Rc<dyn Fn() -> String>,
    next: Next,
}

/// Takes one answer, or `None` when the server ended the subscription with an error.
type Next = Rc<dyn Fn(Option<&str>)>;

/// What the browser calls; kept as long as the socket.
struct Callbacks {
    _open: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

struct Open {
    socket: WebSocket,
    acknowledged: bool,
    /// Whether something was heard since the last ping.
    heard: bool,
    _callbacks: Callbacks,
}

struct Inner {
    open: Option<Open>,
    subscriptions: HashMap<u32, Subscription>,
    last_id: u32,
    failures: u32,
    retry: Option<Timeout>,
    ping: Option<Interval>,
    stopped: bool,
    notify: Rc<dyn Fn(Notice)>,
}

/// Cheap to clone; the last `stop` closes it.
#[derive(Clone)]
pub struct Socket(Rc<RefCell<Inner>>);

/// Ends the subscription when dropped.
pub struct Subscribed {
    socket: Socket,
    id: u32,
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        self.socket.complete(self.id);
    }
}

#[derive(Deserialize)]
struct Frame<'a> {
    id: Option<String>,
    r#type: String,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl Socket {
    pub fn start(notify: impl Fn(Notice) + 'static) -> Self {
        let socket = Self(Rc::new(RefCell::new(Inner {
            open: None,
            subscriptions: HashMap::new(),
            last_id: 0,
            failures: 0,
            retry: None,
            ping: None,
            stopped: false,
            notify: Rc::new(notify),
        })));
        socket.connect();
        socket
    }

    pub fn stop(&self) {
        let mut inner = self.0.borrow_mut();
        inner.stopped = true;
        inner.retry = None;
        inner.ping = None;
        inner.subscriptions.clear();
        let open = inner.open.take();
        drop(inner);
        close(open);
    }

    /// Reconnects at once instead of waiting for the next attempt.
    pub fn hurry(&self) {
        let waiting = self.0.borrow().retry.is_some();
        if waiting {
            self.0.borrow_mut().retry = None;
            self.connect();
        }
    }

    #[must_use]
    pub fn subscribe(
        &self,
        operation: impl Fn() -> String + 'static,
        next: impl Fn(Option<&str>) + 'static,
    ) -> Subscribed {
        let mut inner = self.0.borrow_mut();
        inner.last_id += 1;
        let id = inner.last_id;
        inner.subscriptions.insert(
            id,
            Subscription {
                operation: Rc::new(operation),
                next: Rc::new(next),
            },
        );
        let live = inner.open.as_ref().is_some_and(|open| open.acknowledged);
        drop(inner);
        if live {
            self.send_subscription(id);
        }
        Subscribed {
            socket: self.clone(),
            id,
        }
    }

    fn complete(&self, id: u32) {
        let known = self.0.borrow_mut().subscriptions.remove(&id).is_some();
        if known {
            self.send(&format!(r#"{{"id":"{id}","type":"complete"}}"#));
        }
    }

    fn notify(&self, notice: Notice) {
        let notify = self.0.borrow().notify.clone();
        notify(notice);
    }

    fn send(&self, text: &str) {
        let inner = self.0.borrow();
        if let Some(open) = inner
            .open
            .as_ref()
            .filter(|open| open.socket.ready_state() == WebSocket::OPEN)
        {
            // A socket that just closed says so through its close event.
            let _ = open.socket.send_with_str(text);
        }
    }

    fn send_subscription(&self, id: u32) {
        let operation = self
            .0
            .borrow()
            .subscriptions
            .get(&id)
            .map(|subscription| subscription.operation.clone());
        if let Some(operation) = operation {
            self.send(&format!(
                r#"{{"id":"{id}","type":"subscribe","payload":{}}}"#,
                operation()
            ));
        }
    }

    fn connect(&self) {
        if self.0.borrow().stopped {
            return;
        }
        let Ok(socket) = address().and_then(|address| WebSocket::new_with_str(&address, "graphql-transport-ws")) else {
            return self.retry();
        };
        self.notify(Notice::Changed(Connection::Connecting));
        let this = self.clone();
        let on_open = Closure::<dyn FnMut()>::new(move || {
            let bearer = format!("Bearer {}", token::current().unwrap_or_default());
            let payload = serde_json::json!({ "type": "connection_init", "payload": { "authorization": bearer } });
            this.send(&payload.to_string());
        });
        let this = self.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                this.receive(&text);
            }
        });
        let this = self.clone();
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| this.closed(event.code()));
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        let callbacks = Callbacks {
            _open: on_open,
            _message: on_message,
            _close: on_close,
        };
        let open = Open {
            socket,
            acknowledged: false,
            heard: true,
            _callbacks: callbacks,
        };
        let previous = self.0.borrow_mut().open.replace(open);
        close(previous);
    }

    fn receive(&self, text: &str) {
        if let Some(open) = self.0.borrow_mut().open.as_mut() {
            open.heard = true;
        }
        let Ok(frame) = serde_json::from_str::<Frame>(text) else {
            return;
        };
        match frame.r#type.as_str() {
            "connection_ack" => self.acknowledged(),
            "ping" => self.send(r#"{"type":"pong"}"#),
            "next" => self.deliver(frame.id.as_deref(), frame.payload.map(RawValue::get)),
            "error" => self.deliver(frame.id.as_deref(), None),
            _ => {}
        }
    }

    fn acknowledged(&self) {
        let this = self.clone();
        let ids: Vec<u32> = {
            let mut inner = self.0.borrow_mut();
            if let Some(open) = inner.open.as_mut() {
                open.acknowledged = true;
            }
            inner.ping = Some(Interval::new(PING_MS, move || this.ping()));
            inner.subscriptions.keys().copied().collect()
        };
        for id in ids {
            self.send_subscription(id);
        }
        self.notify(Notice::Changed(Connection::Live));
    }

    /// A connection that answers nothing is closed, so that a sleeping laptop does not show a live dot.
    fn ping(&self) {
        let deaf = self
            .0
            .borrow_mut()
            .open
            .as_mut()
            .is_some_and(|open| !std::mem::replace(&mut open.heard, false));
        if deaf {
            self.restart(false);
        } else {
            // It has held for a while: the next failure is a new one.
            self.0.borrow_mut().failures = 0;
            self.send(r#"{"type":"ping"}"#);
        }
    }

    fn deliver(&self, id: Option<&str>, payload: Option<&str>) {
        let Some(id) = id.and_then(|id| id.parse::<u32>().ok()) else {
            return;
        };
        let next = self
            .0
            .borrow()
            .subscriptions
            .get(&id)
            .map(|subscription| subscription.next.clone());
        if let Some(next) = next {
            next(payload);
        }
    }

    /// Begins a new connection a moment later, with a new token when the old one is no longer taken.
    pub fn restart(&self, signed_out: bool) {
        let open = self.0.borrow_mut().open.take();
        close(open);
        self.closed(if signed_out { UNAUTHORIZED } else { ABNORMAL });
    }

    fn closed(&self, code: u16) {
        {
            let mut inner = self.0.borrow_mut();
            inner.ping = None;
            if inner.stopped {
                return;
            }
        }
        if matches!(code, UNAUTHORIZED | FORBIDDEN) {
            let this = self.clone();
            leptos::task::spawn_local(async move {
                if token::renew().await == Err(ApiError::SignedOut) {
                    this.notify(Notice::SignedOut);
                } else {
                    this.retry();
                }
            });
        } else {
            self.retry();
        }
    }

    fn retry(&self) {
        let this = self.clone();
        let mut inner = self.0.borrow_mut();
        if inner.stopped {
            return;
        }
        let delay = FIRST_DELAY_MS
            .saturating_mul(1 << inner.failures.min(5))
            .min(LONGEST_DELAY_MS);
        inner.failures += 1;
        inner.retry = Some(Timeout::new(delay, move || {
            // Taken out first: this callback may not be dropped while it runs.
            let timer = this.0.borrow_mut().retry.take();
            this.connect();
            if let Some(timer) = timer {
                timer.forget();
            }
        }));
        drop(inner);
        self.notify(Notice::Changed(Connection::Waiting));
    }
}

fn address() -> Result<String, JsValue> {
    let location = web_sys::window().ok_or(JsValue::NULL)?.location();
    let scheme = if location.protocol()? == "https:" { "wss" } else { "ws" };
    Ok(format!("{scheme}://{}/graphql/ws", location.host()?))
}

/// Closes a socket without hearing of it again.
fn close(open: Option<Open>) {
    if let Some(open) = open {
        open.socket.set_onopen(None);
        open.socket.set_onmessage(None);
        open.socket.set_onclose(None);
        // Closing a closed socket changes nothing.
        let _ = open.socket.close();
        // Its callbacks may be running right now; they go with the next turn of the event loop.
        Timeout::new(0, move || drop(open)).forget();
    }
}
