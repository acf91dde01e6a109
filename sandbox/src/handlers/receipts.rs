//! Receipts on their way back to a message's author, and acknowledgements.

use std::sync::Arc;

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, Server};

use crate::account::lock;
use crate::clock::unix_seconds;
use crate::core::Core;
use crate::handlers::Origin;
use crate::number::Addressing;
use crate::stanza::{attr, children, jid_attr};

/// Takes a `<receipt>` and returns its ack. A receipt other than `retry` says that the device has
/// the message: it leaves the mailbox. Without a type it means delivered.
pub fn accept(core: &Arc<Core>, origin: &Origin, receipt: &Node) -> Node {
    let kind = attr(receipt, "type").unwrap_or_default();
    if kind != "retry" {
        clear_messages(origin, receipt);
    }
    match kind.as_ref() {
        // Between a device and its own account: nobody else learns of them.
        "sender" | "peer_msg" | "hist_sync" | "read-self" | "played-self" => {}
        _ => forward(core, origin, receipt, kind == "retry"),
    }
    ack(receipt)
}

fn ack(receipt: &Node) -> Node {
    let mut ack = NodeBuilder::new("ack")
        .attr("class", "receipt")
        .attr("t", unix_seconds());
    for (ours, theirs) in [
        ("id", "id"),
        ("from", "to"),
        ("type", "type"),
        ("participant", "participant"),
    ] {
        if let Some(value) = receipt.attrs.get(theirs) {
            ack = ack.attr(ours, value.clone());
        }
    }
    ack.build()
}

/// The message ids a receipt speaks of: its own and those in `<list>`.
pub fn message_ids(receipt: &Node) -> Vec<String> {
    let mut ids: Vec<String> = attr(receipt, "id")
        .map(std::borrow::Cow::into_owned)
        .into_iter()
        .collect();
    let listed = receipt.get_optional_child("list").map(children).unwrap_or_default();
    ids.extend(
        listed
            .iter()
            .filter_map(|item| attr(item, "id").map(std::borrow::Cow::into_owned)),
    );
    ids
}

fn clear_messages(origin: &Origin, receipt: &Node) {
    let Some(device) = origin.account.device(origin.device) else {
        return;
    };
    let mut mailbox = lock(&device.mailbox);
    for id in message_ids(receipt) {
        mailbox.acknowledge("message", &id, None);
    }
    drop(mailbox);
    origin.account.mark_dirty();
}

/// `<ack class id type>` from a client: the stanza leaves the mailbox.
pub fn acknowledged(origin: &Origin, ack: &Node) {
    let (Some(class), Some(id)) = (attr(ack, "class"), attr(ack, "id")) else {
        return;
    };
    let Some(device) = origin.account.device(origin.device) else {
        return;
    };
    // Only receipts come in several types per id; `type` of a message's ack is the message's own.
    let kind = attr(ack, "type").filter(|_| class == "receipt");
    lock(&device.mailbox).acknowledge(&class, &id, kind.as_deref());
    origin.account.mark_dirty();
}

fn forward(core: &Arc<Core>, origin: &Origin, receipt: &Node, retry: bool) {
    let Some(to) = jid_attr(receipt, "to") else {
        return;
    };
    let in_group = to.server == Server::Group;
    let Some(author) = (if in_group {
        jid_attr(receipt, "participant")
    } else {
        Some(to.clone())
    }) else {
        return;
    };
    let Some(account) = core.account_of(&author) else {
        return;
    };
    let addressing = Addressing::of(&author).unwrap_or(Addressing::Number);
    let copy = || {
        let mut copy = NodeBuilder::new("receipt").attr("t", unix_seconds());
        copy = if in_group {
            copy.attr("from", &to).attr("participant", origin.jid(addressing))
        } else {
            copy.attr("from", origin.jid(addressing))
        };
        for key in ["id", "type", "recipient", "category"] {
            if let Some(value) = receipt.attrs.get(key) {
                copy = copy.attr(key, value.clone());
            }
        }
        copy.apply_content(receipt.content.clone()).build()
    };
    if retry {
        if let Some(device) = account.device(author.device) {
            device.deliver(&account, copy());
        }
        return;
    }
    for device in account.devices().values() {
        // A phone keeps no list of what was read; receipts to it would only be thrown away.
        let is_reader = Arc::ptr_eq(&account, &origin.account) && device.id == origin.device;
        if device.id != 0 && device.is_confirmed() && !is_reader {
            device.deliver(&account, copy());
        }
    }
}

/// A receipt as a phone sends it.
pub fn from_phone(to: &Jid, participant: Option<&Jid>, id: &str, kind: Option<&str>) -> NodeBuilder {
    let mut receipt = NodeBuilder::new("receipt").attr("to", to).attr("id", id);
    if let Some(participant) = participant {
        receipt = receipt.attr("participant", participant);
    }
    if let Some(kind) = kind {
        receipt = receipt.attr("type", kind);
    }
    receipt
}
