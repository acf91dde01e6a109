//! One device: connects, waits, connects again, until it is told to stop or the link is gone.
//!
//! **Invariant:** only a confirmed logout, or the caller's order, deletes the device's records. Every other end of a
//! connection keeps the link.
//!
//! **Invariant:** what was sent and not acknowledged when a connection ends is told as unconfirmed before anything else
//! is told about the end.

use std::{pin::Pin, sync::Arc, time::Duration};

use chrono::TimeDelta;
use rand::RngExt;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use wacore::iq::keepalive::KeepaliveSpec;

use super::{
    EngineError, EventKind, PairingCode,
    client::{Built, Live, Shared, Slot, build},
    listener::Ending,
    pairing,
    pump::Outlet,
};
use crate::store::DeviceScope;

/// WhatsApp takes the device: so many failures at most count for the wait after the connection is lost.
const AFTER_LOGIN: u32 = 3;

/// What an actor is told to do.
pub(super) enum Order {
    /// Stop waiting for the next attempt.
    Wake,
    PairingCode {
        phone_digits: String,
        reply: oneshot::Sender<Result<PairingCode, EngineError>>,
    },
    Stop(Stop),
}

pub(super) struct Stop {
    pub(super) how: How,
    pub(super) reply: oneshot::Sender<Result<(), EngineError>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Keep the link.
    Disconnect,
    /// Remove the link at WhatsApp, then the records.
    Logout,
    /// Remove the records.
    Wipe,
}

/// A device that is about to run.
pub(super) struct Actor {
    pub(super) shared: Arc<Shared>,
    pub(super) scope: DeviceScope,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) slot: Slot,
    /// The predecessor's end: one device never runs twice.
    pub(super) after: Option<CancellationToken>,
    pub(super) done: DropGuard,
}

/// Why an actor ends.
enum End {
    Ordered(Stop),
    /// Nothing is tried until somebody connects the device again.
    Told(EventKind),
    LoggedOut(String),
}

impl Actor {
    pub(super) async fn run(mut self) {
        if let Some(after) = self.after.take() {
            after.cancelled().await;
        }
        let outlet = Outlet {
            device: self.scope.device_id(),
            fence: self.scope.fence(),
            clock: self.shared.clock.clone(),
            events: self.shared.events.clone(),
        };
        let mut failures = 0;
        let built = loop {
            let error = match build(&self.shared, &self.scope, outlet.clone()).await {
                Ok(built) => break built,
                Err(error) => error,
            };
            tracing::error!(%error, device = %outlet.device, "a device could not be started");
            let delay = self.delay(failures);
            failures += 1;
            outlet
                .tell(self.disconnected("its records could not be read", Some(delay)))
                .await;
            if let Some(stop) = self.pause(delay).await {
                let result = match stop.how {
                    How::Disconnect => Ok(()),
                    How::Logout | How::Wipe => self.shared.records(&self.scope).delete_all().await.map_err(storage),
                };
                let _ = stop.reply.send(result);
                return;
            }
        };
        let live = Live {
            client: Arc::clone(&built.client),
            lanes: Arc::clone(&built.lanes),
        };
        // Only this task fills the slot, once.
        let _ = self.slot.set(live);
        let end = self.connections(&built).await;
        self.finish(built, end).await;
        drop(self.done);
    }

    async fn connections(&mut self, built: &Built) -> End {
        let mut failures = 0;
        let mut attempt = 0;
        loop {
            attempt += 1;
            built.queue.tell(EventKind::Connecting { attempt }).await;
            if let Some(stop) = self.connection(built).await {
                return End::Ordered(stop);
            }
            let past = built.signals.take();
            tell_unconfirmed(built, None).await;
            if past.online_for.is_some() {
                attempt = 0;
                failures = failures.min(AFTER_LOGIN);
            }
            if past
                .online_for
                .is_some_and(|held| held >= self.shared.config.reconnect.stable_after)
            {
                failures = 0;
            }
            let reason = match past.ending {
                Some(Ending::LoggedOut(reason)) => return End::LoggedOut(reason),
                Some(Ending::QrExhausted) => return End::Told(EventKind::QrExhausted),
                Some(Ending::Failed(reason)) => return End::Told(EventKind::Failed { reason }),
                Some(Ending::Replaced) => {
                    // Another process runs this device. Fighting for it would take both down.
                    return End::Told(self.disconnected("another connection replaced this one", None));
                }
                Some(Ending::Banned { reason, lasts }) => {
                    let until = lasts.map(|lasts| self.shared.clock.now() + lasts);
                    return End::Told(EventKind::Banned { reason, until });
                }
                // WhatsApp closes the connection after a pairing and expects the device to log in.
                None if past.paired => continue,
                Some(Ending::Lost(reason)) => reason,
                None => built
                    .dialer
                    .take_failure()
                    .unwrap_or_else(|| "could not connect".to_owned()),
            };
            let delay = self.delay(failures);
            failures += 1;
            built.queue.tell(self.disconnected(&reason, Some(delay))).await;
            if let Some(stop) = self.pause(delay).await {
                return End::Ordered(stop);
            }
        }
    }

    /// One connection, from the dial to its end. Answers the order that ended it, if any.
    async fn connection(&mut self, built: &Built) -> Option<Stop> {
        // The library makes one connection per run; when the next one is due is decided here.
        built
            .client
            .enable_auto_reconnect
            .store(false, std::sync::atomic::Ordering::Relaxed);
        let client = Arc::clone(&built.client);
        let mut run = tokio::spawn(async move { client.run().await });
        let config = &self.shared.config;
        let mut login = built.is_linked().then(|| Instant::now() + config.connect_timeout);
        let mut probe: Option<Pin<Box<dyn Future<Output = bool> + Send>>> = None;
        let mut deaf = false;
        loop {
            let suspect = deaf || probe.is_some();
            let overdue = built
                .lanes
                .oldest()
                .filter(|_| !suspect)
                .map(|began| began + config.ack_timeout);
            tokio::select! {
                _ = &mut run => {
                    if deaf {
                        built.signals.explain("the connection stopped answering");
                    }
                    return None;
                }
                order = self.orders.recv() => match order {
                    Some(Order::Wake) => {}
                    Some(Order::PairingCode { phone_digits, reply }) => {
                        let (client, clock) = (Arc::clone(&built.client), self.shared.clock.clone());
                        tokio::spawn(pairing::request_code(client, clock, phone_digits, reply));
                    }
                    Some(Order::Stop(stop)) => {
                        stop_running(built, stop.how, run).await;
                        return Some(stop);
                    }
                    None => {
                        stop_running(built, How::Disconnect, run).await;
                        return Some(Stop { how: How::Disconnect, reply: oneshot::channel().0 });
                    }
                },
                () = at(login) => {
                    login = None;
                    if !built.client.is_logged_in() {
                        built.dialer.cut();
                    }
                }
                () = built.lanes.waiting.notified() => {}
                () = at(overdue), if built.signals.is_online() => {
                    // The message that this waited for may have been acknowledged meanwhile.
                    let latest = Instant::now().checked_sub(config.ack_timeout);
                    if built.lanes.oldest().zip(latest).is_none_or(|(began, latest)| began > latest) {
                        continue;
                    }
                    let reason = "a message was not acknowledged in time".to_owned();
                    built.queue.tell(EventKind::Degraded { reason }).await;
                    let client = Arc::clone(&built.client);
                    let patience = config.probe_timeout;
                    probe = Some(Box::pin(async move {
                        let ping = client.execute(KeepaliveSpec::with_timeout(patience));
                        matches!(timeout(patience, ping).await, Ok(Ok(())))
                    }));
                }
                answered = async { match &mut probe { Some(probe) => probe.await, None => std::future::pending().await } } => {
                    probe = None;
                    if answered {
                        // The connection lives; these messages are what got lost.
                        tell_unconfirmed(built, Instant::now().checked_sub(config.ack_timeout)).await;
                        built.queue.tell(EventKind::Recovered).await;
                    } else {
                        deaf = true;
                        built.dialer.cut();
                    }
                }
            }
        }
    }

    /// Waits for the next attempt, or for an order.
    async fn pause(&mut self, delay: Duration) -> Option<Stop> {
        tokio::select! {
            () = sleep(delay) => None,
            order = self.orders.recv() => match order {
                Some(Order::Wake) => None,
                Some(Order::PairingCode { reply, .. }) => {
                    // Whoever asked may have been cancelled.
                    let _ = reply.send(Err(EngineError::NotConnected));
                    None
                }
                Some(Order::Stop(stop)) => Some(stop),
                None => Some(Stop { how: How::Disconnect, reply: oneshot::channel().0 }),
            },
        }
    }

    async fn finish(&mut self, built: Built, end: End) {
        let device = self.scope.device_id();
        // The library writes what it holds, and its tasks end.
        if timeout(self.shared.config.shutdown_timeout, built.client.disconnect())
            .await
            .is_err()
        {
            tracing::warn!(%device, "a device did not shut down in time");
        }
        tell_unconfirmed(&built, None).await;
        let wipe = matches!(
            &end,
            End::LoggedOut(_)
                | End::Ordered(Stop {
                    how: How::Logout | How::Wipe,
                    ..
                })
        );
        let written = if wipe {
            built.records.delete_all().await
        } else {
            built.records.flush().await
        };
        if let Err(error) = &written {
            tracing::error!(%error, %device, "a device's last records could not be written");
        }
        let (kind, stop) = match end {
            End::LoggedOut(reason) => (EventKind::LoggedOut { reason }, None),
            End::Told(kind) => (kind, None),
            End::Ordered(stop) if stop.how == How::Logout => (
                EventKind::LoggedOut {
                    reason: "requested".to_owned(),
                },
                Some(stop),
            ),
            End::Ordered(stop) => (self.disconnected("requested", None), Some(stop)),
        };
        built.queue.tell(kind).await;
        // Nobody else keeps the queue open: the pump tells what is left and ends.
        let Built {
            subscription,
            queue,
            pump,
            ..
        } = built;
        drop((subscription, queue));
        if let Some(stop) = stop {
            // Whoever asked may be the dispatcher, on whom the pump waits: answer first.
            let _ = stop.reply.send(written.map_err(storage));
        }
        self.refuse_orders();
        let _ = pump.await;
    }

    fn refuse_orders(&mut self) {
        self.orders.close();
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Wake => {}
                Order::PairingCode { reply, .. } => drop(reply.send(Err(EngineError::NotRunning))),
                Order::Stop(stop) => drop(stop.reply.send(Ok(()))),
            }
        }
    }

    fn delay(&self, failures: u32) -> Duration {
        self.shared.config.reconnect.delay(failures, rand::rng().random())
    }

    fn disconnected(&self, reason: &str, delay: Option<Duration>) -> EventKind {
        let retry_at =
            delay.map(|delay| self.shared.clock.now() + TimeDelta::from_std(delay).unwrap_or(TimeDelta::zero()));
        EventKind::Disconnected {
            reason: reason.to_owned(),
            retry_at,
        }
    }
}

async fn stop_running(built: &Built, how: How, mut run: JoinHandle<()>) {
    let goodbye = async {
        if how == How::Logout {
            built.client.logout().await;
        } else {
            built.client.disconnect().await;
        }
    };
    if timeout(Duration::from_secs(10), goodbye).await.is_err() {
        built.dialer.cut();
    }
    if timeout(Duration::from_secs(2), &mut run).await.is_err() {
        run.abort();
    }
}

async fn tell_unconfirmed(built: &Built, limit: Option<Instant>) {
    let whatsapp_ids = built.lanes.take_unconfirmed(limit);
    if !whatsapp_ids.is_empty() {
        built.queue.tell(EventKind::Unconfirmed { whatsapp_ids }).await;
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn storage(error: wacore::store::error::StoreError) -> EngineError {
    EngineError::Storage(Box::new(error))
}
