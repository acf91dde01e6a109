//! The handle callers hold: starts the network and asks it things.

mod groups;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{broadcast, oneshot};
use waproto::whatsapp as wa;

use crate::account::{Account, lock};
use crate::core::Core;
use crate::error::SandboxError;
use crate::handlers::{Origin, devices, login, receipts};
use crate::noise::ServerIdentity;
use crate::number::parse_number;
use crate::phone::{self, Destination, Request};
use crate::storage::{self, Loaded, Storage};
use crate::text::{self, Text};
use crate::views::{
    Behavior, BehaviorPatch, Disruption, LedgerPart, LinkedDevice, NetworkConfig, NetworkEvent, NetworkStats, Phone,
    Received, Target,
};
use crate::{clock, control, pairing, server};

/// How long tasks may take to end.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// A running network; clones are handles to the same one.
#[derive(Clone)]
pub struct Network {
    core: Arc<Core>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Network")
            .field("address", &self.core.address)
            .finish_non_exhaustive()
    }
}

#[expect(
    clippy::unused_async,
    reason = "callers await everything that acts on the network, whether or not it waits today"
)]
impl Network {
    /// Listens and serves until [`Network::shutdown`].
    pub async fn start(config: NetworkConfig) -> Result<Self, SandboxError> {
        if !config.listen.ip().is_loopback() {
            return Err(SandboxError::NotLoopback(config.listen));
        }
        let listening = |source| SandboxError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;

        let storage = config.data_dir.map(Storage::open).transpose()?;
        let server_key = match &storage {
            Some(storage) => storage.server_key()?,
            None => wacore_libsignal::protocol::KeyPair::generate(&mut rand::rng()),
        };
        let core = Arc::new(Core::new(address, ServerIdentity::new(server_key), storage));
        if let Some(storage) = &core.storage {
            let Loaded { accounts, groups } = storage.load()?;
            for group in groups {
                let mut known = core.groups.write().unwrap_or_else(PoisonError::into_inner);
                known.insert(group.id.clone(), Arc::new(Mutex::new(group)));
            }
            for (account, signal) in accounts {
                core.insert_account(&account);
                phone::spawn(&core, &account, signal);
            }
            core.tasks.spawn(storage::run(Arc::clone(&core)));
        }

        server::spawn(
            &core,
            listener,
            control::routes(Self {
                core: Arc::clone(&core),
            }),
        );
        Ok(Self { core })
    }

    /// `ws://127.0.0.1:PORT/ws/chat`.
    pub fn url(&self) -> String {
        format!("ws://{}/ws/chat", self.core.address)
    }

    /// Where it listens; the media host is plain http on the same port, below `/mms/`.
    pub fn address(&self) -> SocketAddr {
        self.core.address
    }

    /// Closes every connection and writes the state to disk.
    pub async fn shutdown(&self) {
        self.core.closing.store(true, Ordering::Release);
        for account in self.core.accounts() {
            for connection in devices::live_connections(&account) {
                connection.cut();
            }
        }
        if let Some(storage) = &self.core.storage {
            storage.save(&self.core, false).await;
        }
        self.core.stop.cancel();
        self.core.tasks.close();
        if tokio::time::timeout(SHUTDOWN_LIMIT, self.core.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some tasks of the network did not end in time");
        }
    }

    /// Accounts linked from now on, and phones from now on, address each other by hidden identity
    /// (`@lid`) instead of by number; groups created from now on as well.
    pub fn set_hidden_addressing(&self, on: bool) {
        self.core.hidden_addressing.store(on, Ordering::Relaxed);
    }

    /// Puts a phone with a new account into the network.
    pub fn create_phone(&self, number: &str, name: Option<&str>, behavior: Behavior) -> Result<Phone, SandboxError> {
        let digits = parse_number(number)?;
        let behavior = normalized(behavior)?;
        let name = name.map_or_else(|| format!("Phone {digits}"), ToOwned::to_owned);
        let account = Arc::new(Account::new(
            digits,
            name,
            behavior,
            phone::keys::generate()?,
            clock::now(),
        ));
        if self.core.account(&account.user).is_some() {
            return Err(SandboxError::AlreadyExists(account.number()));
        }
        if let Some(storage) = &self.core.storage {
            storage.save_new(&account)?;
        }
        if !self.core.insert_account(&account) {
            return Err(SandboxError::AlreadyExists(account.number()));
        }
        phone::spawn(&self.core, &account, phone::signal::SignalState::new(&account));
        self.core.save_soon(&account);
        self.core.emit(NetworkEvent::PhoneChanged {
            number: account.number(),
        });
        Ok(account.view())
    }

    /// All phones, oldest first.
    pub fn phones(&self) -> Vec<Phone> {
        self.core.accounts().iter().map(|account| account.view()).collect()
    }

    pub fn phone(&self, number: &str) -> Option<Phone> {
        self.core.account_by_number(number).ok().map(|account| account.view())
    }

    /// The phone that links a device, created when it is absent.
    fn scanner(&self, number: &str) -> Result<Arc<Account>, SandboxError> {
        if matches!(self.core.account_by_number(number), Err(SandboxError::NoSuchPhone(_))) {
            match self.create_phone(number, None, Behavior::default()) {
                // Somebody else may have created it in this moment.
                Ok(_) | Err(SandboxError::AlreadyExists(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        self.online(number)
    }

    /// The phone scans a QR code (it is created when absent); returns when the device has logged in.
    pub async fn scan_qr(&self, number: &str, qr: &str) -> Result<LinkedDevice, SandboxError> {
        let account = self.scanner(number)?;
        pairing::scan_qr(&self.core, &account, qr).await
    }

    /// The phone's user types the eight characters a client shows; returns when the device has
    /// logged in.
    pub async fn enter_pairing_code(&self, number: &str, code: &str) -> Result<LinkedDevice, SandboxError> {
        let account = self.scanner(number)?;
        pairing::code::enter(&self.core, &account, code).await
    }

    /// The phone writes a text; returns the message id once the server accepted it.
    pub async fn send_text(&self, from: &str, to: Target, text: impl Into<Text>) -> Result<String, SandboxError> {
        let message = text::compose(&self.core, &to, text.into())?;
        self.send_message(from, to, message).await
    }

    /// The phone sends a message of any kind.
    pub async fn send_message(&self, from: &str, to: Target, message: wa::Message) -> Result<String, SandboxError> {
        let account = self.online(from)?;
        let to = match to {
            Target::Phone(number) => Destination::Account(self.core.account_by_number(&number)?),
            Target::Group(jid) => Destination::Group(jid.split('@').next().unwrap_or_default().to_owned()),
        };
        let (done, sent) = oneshot::channel();
        account.request(Request::Send {
            to,
            message: Box::new(message),
            done: Some(done),
        });
        self.core.unless_stopped(sent).await?
    }

    fn online(&self, number: &str) -> Result<Arc<Account>, SandboxError> {
        let account = self.core.account_by_number(number)?;
        if account.with_behavior(|behavior| behavior.online) {
            Ok(account)
        } else {
            Err(SandboxError::PhoneOffline(account.number()))
        }
    }

    /// Changes how a phone acts.
    pub fn set_behavior(&self, number: &str, patch: BehaviorPatch) -> Result<Phone, SandboxError> {
        let account = self.core.account_by_number(number)?;
        let changed = normalized(patch.applied_to(account.behavior()))?;
        *account.behavior.write().unwrap_or_else(PoisonError::into_inner) = changed;
        account.wake.notify_one();
        self.core.save_soon(&account);
        self.core.emit(NetworkEvent::PhoneChanged {
            number: account.number(),
        });
        Ok(account.view())
    }

    /// Makes something go wrong.
    pub async fn disrupt(&self, number: &str, disruption: Disruption) -> Result<Phone, SandboxError> {
        let account = self.core.account_by_number(number)?;
        match disruption {
            Disruption::DropSocket => {
                for connection in devices::live_connections(&account) {
                    connection.cut();
                }
            }
            Disruption::DropSocketAfter { messages } => {
                lock(&account.faults).drop_after = (messages > 0).then_some(messages);
            }
            Disruption::LogOut { device } => self.log_out(&account, device)?,
            Disruption::NackNext { count, code } => {
                lock(&account.faults).nack_next = (count > 0).then_some((count, code));
            }
            Disruption::Refuse { connections } => lock(&account.faults).refuse_connections = connections,
            Disruption::StreamReplaced => {
                for connection in devices::live_connections(&account) {
                    connection.send(login::replaced());
                    connection.close();
                }
            }
            Disruption::Freeze { frozen } => {
                lock(&account.faults).freeze_connections = frozen;
                if frozen {
                    for connection in devices::live_connections(&account) {
                        connection.freeze();
                    }
                }
            }
            Disruption::LoseSessions => account.request(Request::LoseSessions),
        }
        self.core.emit(NetworkEvent::PhoneChanged {
            number: account.number(),
        });
        Ok(account.view())
    }

    fn log_out(&self, account: &Arc<Account>, device: Option<u16>) -> Result<(), SandboxError> {
        let chosen: Vec<u16> = account
            .devices()
            .keys()
            .copied()
            .filter(|id| *id != 0 && device.is_none_or(|wanted| wanted == *id))
            .collect();
        if chosen.is_empty() {
            return Err(SandboxError::NotLinked(account.number()));
        }
        for id in chosen {
            devices::unlink(&self.core, account, id);
        }
        Ok(())
    }

    /// The ledger in order, from after a sequence number.
    pub fn received(&self, number: &str, after: Option<u64>, limit: usize) -> Result<Vec<Received>, SandboxError> {
        let part = LedgerPart {
            after,
            limit,
            ..LedgerPart::default()
        };
        self.ledger(number, part)
    }

    /// A part of the ledger.
    pub fn ledger(&self, number: &str, part: LedgerPart) -> Result<Vec<Received>, SandboxError> {
        let account = self.core.account_by_number(number)?;
        let rows = lock(&account.ledger).rows(part);
        Ok(rows)
    }

    /// How many messages reached a phone; 0 for a number that has none.
    pub fn received_count(&self, number: &str) -> usize {
        self.core
            .account_by_number(number)
            .map_or(0, |account| lock(&account.ledger).len())
    }

    /// The phone's user opens the chat: read receipts for these messages.
    pub async fn mark_read(&self, number: &str, whatsapp_ids: &[String]) -> Result<(), SandboxError> {
        let account = self.online(number)?;
        let rows = {
            let ledger = lock(&account.ledger);
            let find = |id: &String| {
                ledger
                    .find(id)
                    .cloned()
                    .ok_or_else(|| SandboxError::NoSuchMessage(id.clone()))
            };
            whatsapp_ids.iter().map(find).collect::<Result<Vec<_>, _>>()?
        };
        let origin = Origin { account, device: 0 };
        for row in rows {
            let receipt =
                receipts::from_phone(&row.chat, row.participant.as_ref(), &row.view.whatsapp_id, Some("read"));
            receipts::accept(&self.core, &origin, &receipt.build());
        }
        Ok(())
    }

    /// What happens from now on. A subscriber that lags loses the oldest events.
    pub fn subscribe(&self) -> broadcast::Receiver<NetworkEvent> {
        self.core.events.subscribe()
    }

    pub fn stats(&self) -> NetworkStats {
        self.core.stats()
    }
}

/// Numbers in the block list are kept as `+digits`.
fn normalized(mut behavior: Behavior) -> Result<Behavior, SandboxError> {
    behavior.blocks = behavior
        .blocks
        .iter()
        .map(|number| parse_number(number).map(|digits| crate::number::with_plus(&digits)))
        .collect::<Result<_, _>>()?;
    Ok(behavior)
}
