//! What comes in from the engine goes to which domain: one table, above the domains.
//!
//! | the engine tells | it goes to |
//! |---|---|
//! | codes, connected, disconnected, logged out … | `devices/status.rs`, and `messages/sender.rs` starts or rests |
//! | the server took or refused a message; receipts | `messages/receipts.rs` |
//! | an attempt whose outcome is unknown | `messages/sender.rs` |
//! | an incoming message | `messages/inbox.rs` |
//! | two addresses are one person's | `messages/joining.rs` |
//! | what a group is called | `chats/naming.rs` |

use chrono::TimeDelta;
use tokio::sync::mpsc;

use crate::{
    chats::GroupNames,
    devices::{Leases, status::StatusKeeper},
    engine::{EngineEvent, EventKind},
    messages::{Inbox, Joining, Receipts, Senders, steps::Heard},
    store::Stopped,
};

/// Where everything goes.
pub struct Dispatch {
    pub leases: Leases,
    pub status: StatusKeeper,
    pub senders: Senders,
    pub receipts: Receipts,
    pub inbox: Inbox,
    pub joining: Joining,
    pub group_names: GroupNames,
}

impl Dispatch {
    /// Hands on what comes, until the engine has stopped and everything is written. The order of one device's events is
    /// kept.
    pub async fn run(self, mut events: mpsc::Receiver<EngineEvent>) {
        while let Some(event) = events.recv().await {
            if self.hand_on(event).await.is_err() {
                break;
            }
        }
        self.receipts.flushed().await;
        self.inbox.flushed().await;
        self.joining.flushed().await;
        self.group_names.flushed().await;
        self.status.flushed().await;
    }

    async fn hand_on(&self, event: EngineEvent) -> Result<(), Stopped> {
        // News under a lease that this node lost is not this node's any more.
        let Some(lease) = self.leases.with_fence(event.device, event.fence) else {
            return Ok(());
        };
        let at = event.at;
        match &event.kind {
            EventKind::Incoming(_) => return self.inbox.tell(lease, event).await,
            EventKind::Acked { whatsapp_id } => {
                // Off the wire: the next message need not wait until this is written down.
                self.senders.settled(lease.id(), [whatsapp_id]);
                let whatsapp_id = whatsapp_id.clone();
                self.receipts.tell(lease, at, Heard::Acked { whatsapp_id }).await?;
            }
            EventKind::Nacked {
                whatsapp_id,
                code,
                reason,
            } => {
                self.senders.settled(lease.id(), [whatsapp_id]);
                let heard = Heard::Nacked {
                    whatsapp_id: whatsapp_id.clone(),
                    code: *code,
                    reason: reason.clone(),
                };
                self.receipts.tell(lease, at, heard).await?;
            }
            EventKind::Receipt {
                chat,
                participant,
                whatsapp_ids,
                kind,
                at: told,
            } => {
                // Only groups have participants; in a direct chat the recipient is the chat.
                let participant = participant.clone().filter(|participant| participant != chat);
                let whatsapp_ids = whatsapp_ids.clone();
                // WhatsApp tells times to the second. Of what happened just now, our own clock knows better; of what
                // happened while the device was away, only WhatsApp knows.
                let at = if at - *told < TimeDelta::seconds(5) { at } else { *told };
                self.receipts
                    .tell(
                        lease,
                        at,
                        Heard::Receipt {
                            participant,
                            whatsapp_ids,
                            kind: *kind,
                        },
                    )
                    .await?;
            }
            EventKind::Unconfirmed { whatsapp_ids } => self.senders.unconfirmed(lease, whatsapp_ids.clone()).await,
            EventKind::Addresses { lid, phone } => self.joining.tell(lease, lid.clone(), phone.clone()).await?,
            EventKind::GroupSubject { group, subject } => self.group_names.tell(lease, group.clone(), subject).await?,
            EventKind::PushName { .. } => {}
            kind => {
                match kind {
                    EventKind::Connected { .. } => self.senders.connected(lease),
                    // While a connection is suspected its window fills up by itself; either it answers again, or it
                    // is replaced.
                    EventKind::Degraded { .. }
                    | EventKind::Recovered
                    | EventKind::Activity
                    | EventKind::Connecting { .. } => {}
                    _ => self.senders.disconnected(event.device),
                }
                self.status.tell(event.device, event.fence, at, kind.clone()).await?;
            }
        }
        event.commit();
        Ok(())
    }
}
