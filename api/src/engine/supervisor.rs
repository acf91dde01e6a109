//! Takes the commands of all handles and passes them to the devices.
//!
//! **Invariant:** a device runs at most once in this process: a new actor waits for the end of the one before it.
//! No command waits here for another: what takes time runs in a task.

use std::{collections::HashMap, sync::Arc};

use entity::DeviceId;
use futures::future::join_all;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{
    Command, EngineError, SendError,
    actor::{Actor, How, Order, Stop},
    addresses::parse_chat,
    client::{Shared, Slot},
    groups::addresses_in,
    handle::Reply,
};
use crate::store::DeviceScope;

/// Orders that may wait at one device.
const ORDERS: usize = 16;

struct Running {
    scope: DeviceScope,
    orders: mpsc::Sender<Order>,
    slot: Slot,
    done: CancellationToken,
    stopping: bool,
}

pub(super) struct Supervisor {
    shared: Arc<Shared>,
    devices: HashMap<DeviceId, Running>,
    tasks: JoinSet<DeviceId>,
}

impl Supervisor {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            devices: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Shutdown { reply }) => {
                        commands.close();
                        self.shutdown().await;
                        let _ = reply.send(Ok(()));
                        return;
                    }
                    Some(command) => self.take(command),
                    None => return self.shutdown().await,
                },
                Some(ended) = self.tasks.join_next() => match ended {
                    Ok(device) => self.forget(device),
                    Err(error) => tracing::error!(%error, "a device's task ended by itself"),
                },
            }
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Connect { device, reply } => {
                self.ensure_running(device);
                let _ = reply.send(Ok(()));
            }
            Command::RequestPairingCode {
                device,
                phone_digits,
                reply,
            } => {
                let running = self.ensure_running(device);
                order(running, Order::PairingCode { phone_digits, reply });
            }
            Command::Disconnect { id, reply } => match self.devices.get_mut(&id) {
                Some(running) => stop(running, How::Disconnect, reply),
                None => drop(reply.send(Ok(()))),
            },
            Command::Logout { id, reply } => match self.devices.get_mut(&id) {
                Some(running) => stop(running, How::Logout, reply),
                None => drop(reply.send(Err(EngineError::NotRunning))),
            },
            Command::Wipe { device, reply } => self.wipe(device, reply),
            Command::Send { id, outgoing, reply } => match self.live(id).and_then(|running| running.slot.get()) {
                Some(live) => live.lanes.push(outgoing, reply),
                None => drop(reply.send(Err(SendError::NotConnected))),
            },
            Command::Resolve {
                id,
                phone_digits,
                reply,
            } => {
                let Some(slot) = self.slot(id) else {
                    return drop(reply.send(Err(EngineError::NotRunning)));
                };
                let directory = Arc::clone(&self.shared.directory);
                tokio::spawn(async move {
                    let answer = match slot.get().filter(|live| live.client.is_logged_in()) {
                        Some(live) => directory.resolve(&live.client, &phone_digits).await,
                        None => Err(EngineError::NotConnected),
                    };
                    let _ = reply.send(answer);
                });
            }
            Command::AddressesIn {
                id,
                group,
                people,
                reply,
            } => {
                let Some(slot) = self.slot(id) else {
                    return drop(reply.send(Err(EngineError::NotRunning)));
                };
                tokio::spawn(async move {
                    let answer = match slot.get().filter(|live| live.client.is_logged_in()) {
                        Some(live) => addresses_in(&live.client, &group, &people).await,
                        None => Err(EngineError::NotConnected),
                    };
                    let _ = reply.send(answer);
                });
            }
            Command::MarkRead {
                id,
                chat,
                sender,
                whatsapp_ids,
                reply,
            } => {
                let Some(slot) = self.slot(id) else {
                    return drop(reply.send(Err(EngineError::NotRunning)));
                };
                tokio::spawn(async move {
                    let _ = reply.send(mark_read(&slot, &chat, sender.as_deref(), &whatsapp_ids).await);
                });
            }
            Command::Shutdown { .. } => {}
        }
    }

    fn live(&self, id: DeviceId) -> Option<&Running> {
        self.devices.get(&id).filter(|running| !running.stopping)
    }

    fn slot(&self, id: DeviceId) -> Option<Slot> {
        self.live(id).map(|running| Arc::clone(&running.slot))
    }

    fn ensure_running(&mut self, device: DeviceScope) -> &mut Running {
        let id = device.device_id();
        let after = match self.devices.get(&id) {
            Some(running) if is_current(running, &device) => {
                // A full queue means that it is awake.
                let _ = running.orders.try_send(Order::Wake);
                None
            }
            Some(running) => Some((Some(running.done.clone()), device)),
            None => Some((None, device)),
        };
        if let Some((after, device)) = after {
            let running = self.start(device, after);
            self.devices.insert(id, running);
        }
        // It was there, or it has just been inserted.
        self.devices.get_mut(&id).expect("the device was just inserted")
    }

    fn start(&mut self, scope: DeviceScope, after: Option<CancellationToken>) -> Running {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let done = CancellationToken::new();
        let slot = Slot::default();
        let actor = Actor {
            shared: Arc::clone(&self.shared),
            scope: scope.clone(),
            orders: receiver,
            slot: Arc::clone(&slot),
            after,
            done: done.clone().drop_guard(),
        };
        let id = scope.device_id();
        self.tasks.spawn(async move {
            actor.run().await;
            id
        });
        Running {
            scope,
            orders,
            slot,
            done,
            stopping: false,
        }
    }

    fn wipe(&mut self, device: DeviceScope, reply: Reply<()>) {
        let id = device.device_id();
        if let Some(running) = self.devices.get_mut(&id)
            && is_current(running, &device)
        {
            return stop(running, How::Wipe, reply);
        }
        let after = self.devices.get(&id).map(|running| running.done.clone());
        let done = CancellationToken::new();
        let guard = done.clone().drop_guard();
        let records = self.shared.records(&device);
        self.tasks.spawn(async move {
            if let Some(after) = after {
                after.cancelled().await;
            }
            let wiped = records
                .delete_all()
                .await
                .map_err(|error| EngineError::Storage(Box::new(error)));
            let _ = reply.send(wiped);
            drop(guard);
            id
        });
        // A place holder: whoever starts the device again waits until it is wiped.
        let (orders, _) = mpsc::channel(1);
        self.devices.insert(
            id,
            Running {
                scope: device,
                orders,
                slot: Slot::default(),
                done,
                stopping: true,
            },
        );
    }

    fn forget(&mut self, id: DeviceId) {
        if self.devices.get(&id).is_some_and(|running| running.done.is_cancelled()) {
            self.devices.remove(&id);
        }
    }

    async fn shutdown(&mut self) {
        let mut answers = Vec::new();
        for running in self.devices.values_mut() {
            let (reply, answer) = oneshot::channel();
            stop(running, How::Disconnect, reply);
            answers.push(answer);
        }
        let all = async {
            join_all(answers).await;
            while self.tasks.join_next().await.is_some() {}
        };
        if tokio::time::timeout(self.shared.config.shutdown_timeout, all)
            .await
            .is_err()
        {
            tracing::warn!("not every device shut down in time");
        }
    }
}

/// Whether it runs under this lease and was not told to stop.
fn is_current(running: &Running, device: &DeviceScope) -> bool {
    !running.stopping && !running.orders.is_closed() && running.scope.fence() == device.fence()
}

fn order(running: &Running, order: Order) {
    let refused = match running.orders.try_send(order) {
        Ok(()) => return,
        Err(mpsc::error::TrySendError::Full(order)) => (order, EngineError::Busy),
        Err(mpsc::error::TrySendError::Closed(order)) => (order, EngineError::NotRunning),
    };
    match refused {
        (Order::Wake, _) => {}
        (Order::PairingCode { reply, .. }, error) => drop(reply.send(Err(error))),
        (Order::Stop(stop), error) => drop(stop.reply.send(Err(error))),
    }
}

fn stop(running: &mut Running, how: How, reply: Reply<()>) {
    running.stopping = true;
    order(running, Order::Stop(Stop { how, reply }));
}

async fn mark_read(slot: &Slot, chat: &str, sender: Option<&str>, whatsapp_ids: &[String]) -> Result<(), EngineError> {
    let live = slot
        .get()
        .filter(|live| live.client.is_logged_in())
        .ok_or(EngineError::NotConnected)?;
    let chat = parse_chat(chat).ok_or(EngineError::Address)?;
    let sender = sender
        .map(|sender| parse_chat(sender).ok_or(EngineError::Address))
        .transpose()?;
    let ids: Vec<&str> = whatsapp_ids.iter().map(String::as_str).collect();
    let read = live.client.mark_as_read(&chat, sender.as_ref(), &ids);
    read.await.map_err(|error| EngineError::Refused(error.to_string()))
}
