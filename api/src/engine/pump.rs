//! One task per device that translates the library's events, in their order, into ours.
//!
//! **Invariant:** a message is told as acknowledged only after what the device must remember of it is durable: the copy
//! for a recipient that asks again was written behind.

use std::{sync::Arc, time::Duration};

use chrono::{TimeDelta, Utc};
use entity::DeviceId;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use wacore::types::{
    events::{Event, Receipt, ServerAck},
    presence::ReceiptType,
};
use wacore_binary::JidExt as _;
use whatsapp_rust::Client;

use super::{
    EngineEvent, EventKind, ReceiptKind, addresses::Addresses, listener::Raw, storage::Records, subjects::Subjects,
};
use crate::clock::Clock;

/// How many events are translated between two looks at the storage.
const BATCH: usize = 256;
/// How often a device tells that it is alive.
const ACTIVITY: Duration = Duration::from_mins(1);

/// Where the events of one device go.
#[derive(Clone)]
pub(super) struct Outlet {
    pub(super) device: DeviceId,
    pub(super) fence: i64,
    pub(super) clock: Clock,
    pub(super) events: mpsc::Sender<EngineEvent>,
}

impl Outlet {
    /// Waits while the dispatcher is behind. Without a dispatcher, at the end, the event is for nobody.
    pub(super) async fn tell(&self, kind: EventKind) {
        let _ = self.events.send(self.event(kind, None)).await;
    }

    pub(super) async fn tell_committed(&self, kind: EventKind, committed: oneshot::Sender<()>) -> anyhow::Result<()> {
        let event = self.event(kind, Some(committed));
        self.events
            .send(event)
            .await
            .map_err(|_| anyhow::anyhow!("the dispatcher has stopped"))
    }

    fn event(&self, kind: EventKind, committed: Option<oneshot::Sender<()>>) -> EngineEvent {
        EngineEvent {
            device: self.device,
            fence: self.fence,
            at: self.clock.now(),
            kind,
            committed,
        }
    }

    fn after(&self, lifetime: Duration) -> chrono::DateTime<Utc> {
        self.clock.now() + TimeDelta::from_std(lifetime).unwrap_or_default()
    }
}

/// Translates one device's events.
pub(super) struct Pump {
    pub(super) outlet: Outlet,
    pub(super) client: Arc<Client>,
    pub(super) records: Records,
    pub(super) addresses: Addresses,
    pub(super) subjects: Arc<Subjects>,
}

impl Pump {
    /// Runs until the queue is closed and empty.
    pub(super) async fn run(self, mut queue: mpsc::Receiver<Raw>) {
        let mut batch = Vec::new();
        let mut next_activity = Instant::now();
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            let alive = batch.iter().any(|raw| matches!(raw, Raw::Library(_)));
            for raw in batch.drain(..) {
                match raw {
                    Raw::Own(kind) => self.outlet.tell(kind).await,
                    Raw::Library(event) => self.translate(&event).await,
                }
            }
            if alive && Instant::now() >= next_activity {
                next_activity = Instant::now() + ACTIVITY;
                self.outlet.tell(EventKind::Activity).await;
            }
        }
    }

    async fn translate(&self, event: &Event) {
        let kind = match event {
            Event::ServerAck(ack) => Self::acknowledgement(ack),
            Event::Receipt(receipt) => self.receipt(receipt).await,
            Event::PairingQrCode(qr) => Some(EventKind::Qr {
                text: qr.code.clone(),
                expires_at: self.outlet.after(qr.timeout),
            }),
            Event::PairingCode(code) => Some(EventKind::PairingCode {
                code: code.code.clone(),
                expires_at: self.outlet.after(code.timeout),
            }),
            Event::PairingCodeError(error) => Some(EventKind::PairFailed {
                reason: error.error.clone(),
            }),
            Event::PairError(error) => Some(EventKind::PairFailed {
                reason: error.error.clone(),
            }),
            Event::PairSuccess(pair) => {
                // Nobody is told of a link that a crash would forget.
                let saved = self.client.persistence_manager().flush().await;
                let written = self.records.flush().await;
                if let Err(error) = saved.and(written) {
                    tracing::error!(%error, device = %self.outlet.device, "the credentials of a pairing were not written");
                }
                Some(EventKind::Paired {
                    jid: pair.id.to_non_ad_string(),
                    lid: (!pair.lid.user.is_empty()).then(|| pair.lid.to_non_ad_string()),
                    phone_number: pair.id.user.to_string(),
                    platform: some(&pair.platform),
                    push_name: some(&pair.business_name),
                })
            }
            Event::Connected(_) => self.client.pn().map(|jid| EventKind::Connected {
                jid: jid.to_non_ad_string(),
                lid: self.client.lid().map(|lid| lid.to_non_ad_string()),
                push_name: some(&self.client.push_name()),
            }),
            Event::PushNameUpdate(update) => {
                let address = self
                    .addresses
                    .resolve(&update.jid, update.message.source.sender_alt.as_ref())
                    .await;
                Some(EventKind::PushName {
                    jid: address.jid,
                    name: update.new_push_name.clone(),
                })
            }
            Event::ContactNumberChanged(change) => change.new_lid.as_ref().map(|lid| EventKind::Addresses {
                lid: lid.to_non_ad_string(),
                phone: change.new_jid.to_non_ad_string(),
            }),
            Event::GroupUpdate(update) => self.subjects.changed(update),
            // How a connection ended is told by the actor, which knows what follows from it.
            _ => None,
        };
        if let Some(kind) = kind {
            self.outlet.tell(kind).await;
        }
    }

    fn acknowledgement(ack: &ServerAck) -> Option<EventKind> {
        if ack.class.as_deref() != Some("message") {
            return None;
        }
        let whatsapp_id = ack.id.clone();
        Some(match &ack.error {
            None => EventKind::Acked { whatsapp_id },
            Some(code) => {
                let code: i32 = code.parse().unwrap_or(0);
                EventKind::Nacked {
                    whatsapp_id,
                    code,
                    reason: refusal(code).to_owned(),
                }
            }
        })
    }

    async fn receipt(&self, receipt: &Receipt) -> Option<EventKind> {
        let kind = match receipt.r#type {
            ReceiptType::Delivered | ReceiptType::Inactive => ReceiptKind::Delivered,
            ReceiptType::Read => ReceiptKind::Read,
            ReceiptType::Played => ReceiptKind::Played,
            _ => return None,
        };
        let source = &receipt.source;
        // Our own other devices tell that they have our messages; nobody else does by that.
        if source.is_from_me || self.addresses.is_own(&source.sender) {
            return None;
        }
        let is_group = source.chat.is_group();
        let other_form = source.sender_alt.as_ref().filter(|_| !is_group);
        let chat = self.addresses.resolve(&source.chat, other_form).await.jid;
        let participant = if is_group {
            Some(
                self.addresses
                    .resolve(&source.sender, source.sender_alt.as_ref())
                    .await
                    .jid,
            )
        } else {
            None
        };
        let whatsapp_ids = receipt.message_ids.iter().map(ToString::to_string).collect();
        Some(EventKind::Receipt {
            chat,
            participant,
            whatsapp_ids,
            kind,
            at: receipt.timestamp,
        })
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The refusals that are worth a sentence.
fn refusal(code: i32) -> &'static str {
    match code {
        400 => "WhatsApp did not understand the message",
        401 | 403 => "the account may not write to this chat",
        404 => "the chat does not exist",
        406 => "the recipient does not accept the message",
        421 => "the chat is addressed in an old way",
        463 => "WhatsApp limits how many new chats this account may begin",
        479 => "WhatsApp refused the message as outdated",
        _ => "WhatsApp refused the message",
    }
}
