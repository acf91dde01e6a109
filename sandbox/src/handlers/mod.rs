//! What the server does with each stanza. Handlers never wait: they read, change state under short
//! locks, queue answers and give stanzas to other devices.

pub mod app_state;
pub mod devices;
pub mod group_changes;
pub mod groups;
pub mod keys;
pub mod login;
pub mod media;
pub mod messages;
pub mod presence;
pub mod receipts;
pub mod settings;
pub mod usync;

use std::sync::Arc;

use wacore_binary::Node;

use crate::account::{Account, lock};
use crate::connection::{Connection, Peer};
use crate::core::Core;
use crate::number::Addressing;
use crate::stanza::{attr, attr_is, empty_result, error};

/// The device a stanza comes from: a linked client, or a phone (device 0).
#[derive(Clone)]
pub struct Origin {
    pub account: Arc<Account>,
    pub device: u16,
}

impl Origin {
    /// The sender's jid in the addressing a conversation uses.
    pub fn jid(&self, addressing: Addressing) -> wacore_binary::Jid {
        self.account.device_jid(addressing, self.device)
    }
}

/// One stanza from a client.
pub fn handle(core: &Arc<Core>, connection: &Arc<Connection>, stanza: Node) {
    match connection.peer() {
        Peer::Unlinked => handle_unlinked(core, connection, &stanza),
        Peer::Device { account, device } => {
            let origin = Origin {
                account,
                device: device.id,
            };
            match stanza.tag.as_ref() {
                "message" => from_client_message(core, connection, &origin, stanza),
                "receipt" => {
                    let ack = receipts::accept(core, &origin, &stanza);
                    connection.send(ack);
                }
                "ack" => receipts::acknowledged(&origin, &stanza),
                "iq" => handle_iq(core, connection, &origin, &stanza),
                "presence" => presence::changed(core, &origin, &stanza),
                "chatstate" => presence::typing(core, &origin, stanza),
                "notification" | "ib" | "call" => {}
                other => tracing::debug!(tag = other, "a stanza without a handler"),
            }
        }
    }
}

/// A message of a client, and the accident that may be planned for its connection.
fn from_client_message(core: &Arc<Core>, connection: &Arc<Connection>, origin: &Origin, stanza: Node) {
    let cut = {
        let mut faults = lock(&origin.account.faults);
        match faults.drop_after.as_mut() {
            Some(left) if !attr_is(&stanza, "category", "peer") => {
                *left = left.saturating_sub(1);
                let now = *left == 0;
                if now {
                    faults.drop_after = None;
                }
                now
            }
            _ => false,
        }
    };
    if cut {
        // Before the message goes on: no receipt may overtake the accident.
        connection.cut();
    }
    let ack = messages::accept(core, origin, stanza);
    connection.send(ack);
}

fn handle_unlinked(core: &Arc<Core>, connection: &Arc<Connection>, stanza: &Node) {
    if stanza.tag != "iq" {
        return;
    }
    match (attr(stanza, "type").as_deref(), attr(stanza, "xmlns").as_deref()) {
        (Some("result"), _) => crate::pairing::handle_answer(core, connection, stanza),
        (Some("set" | "get"), Some("md")) => crate::pairing::code::handle_stage(core, connection, stanza),
        (Some("set" | "get"), Some("w:p" | "passive")) => connection.send(empty_result(stanza)),
        (Some("set" | "get"), _) => connection.send(error(stanza, 401, "not-authorized")),
        _ => {}
    }
}

fn handle_iq(core: &Arc<Core>, connection: &Arc<Connection>, origin: &Origin, request: &Node) {
    let set = match attr(request, "type").as_deref() {
        Some("get") => false,
        Some("set") => true,
        _ => return,
    };
    let namespace = attr(request, "xmlns").unwrap_or_default();
    let answer = match namespace.as_ref() {
        "passive" => {
            login::set_activity(core, connection, origin, request);
            return;
        }
        "encrypt" => keys::handle(core, origin, request, set),
        "usync" => usync::handle(core, origin, request),
        "w:g2" => groups::handle(core, origin, request, set),
        "w:m" => media::handle(core, request),
        "w:sync:app:state" => app_state::handle(core, origin, request),
        "md" => devices::handle(core, connection, origin, request),
        // The keep-alive, and a namespace-less ping of Baileys.
        "w:p" => empty_result(request),
        _ => settings::handle(core, origin, request, &namespace, set),
    };
    connection.send(answer);
}
