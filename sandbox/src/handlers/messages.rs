//! Messages on their way from one device to all the others they are meant for.
//!
//! The sender has encrypted the content once per device (`<participants><to jid><enc>`), or once
//! for a group (`<enc type="skmsg">`) with a key each device got before. The server opens nothing:
//! it checks, splits the stanza, names the sender and leaves each part in a device's mailbox.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use wacore::messages::MessageUtils;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, NodeContent, NodeValue, Server};

use crate::account::{Account, Device, lock};
use crate::clock::unix_seconds;
use crate::core::Core;
use crate::handlers::Origin;
use crate::number::Addressing;
use crate::stanza::{attr_is, children, jid_attr};

/// A refusal code of the server: the recipient is not known.
const NOT_FOUND: u16 = 404;
/// A refusal code of the server: the sender may not write here.
const FORBIDDEN: u16 = 403;

/// Takes a message and returns the ack, or the nack, for its sender.
pub fn accept(core: &Arc<Core>, origin: &Origin, stanza: Node) -> Node {
    let Some(to) = jid_attr(&stanza, "to") else {
        return ack(&stanza, Verdict::Refused(400));
    };
    let id = stanza.attrs.clone();
    let verdict = match to.server {
        Server::Group => to_group(core, origin, stanza, &to),
        // Status updates: accepted, shown to nobody.
        Server::Broadcast => Verdict::Accepted { device_hash: None },
        _ => to_account(core, origin, stanza, &to),
    };
    if matches!(verdict, Verdict::Accepted { .. }) {
        core.counters.messages.fetch_add(1, Ordering::Relaxed);
    }
    ack(&Node::new("message", id, None), verdict)
}

/// What became of a message.
enum Verdict {
    Accepted {
        /// The hash of the devices the message should have gone to, when it went to others: the
        /// sender refreshes its device lists.
        device_hash: Option<String>,
    },
    Refused(u16),
}

/// `<ack class="message" id from t>`, with `phash` or `error`.
fn ack(stanza: &Node, verdict: Verdict) -> Node {
    let mut ack = NodeBuilder::new("ack")
        .attr("class", "message")
        .attr("t", unix_seconds());
    for (ours, theirs) in [("id", "id"), ("from", "to"), ("participant", "participant")] {
        if let Some(value) = stanza.attrs.get(theirs) {
            ack = ack.attr(ours, value.clone());
        }
    }
    match verdict {
        Verdict::Accepted { device_hash: None } => {}
        Verdict::Accepted {
            device_hash: Some(hash),
        } => ack = ack.attr("phash", hash),
        Verdict::Refused(code) => ack = ack.attr("error", code),
    }
    ack.build()
}

/// The parts of a message's content.
struct Parts {
    /// For one device each: the `<enc>`s under `<to jid>`.
    targets: Vec<(Jid, Vec<Node>)>,
    /// The sender's proof of identity, for devices that start a session.
    identity: Option<Node>,
    /// Everything else, for every device.
    shared: Vec<Node>,
}

fn take_apart(content: Option<NodeContent>) -> Parts {
    let mut parts = Parts {
        targets: Vec::new(),
        identity: None,
        shared: Vec::new(),
    };
    let Some(NodeContent::Nodes(nodes)) = content else {
        return parts;
    };
    for node in nodes {
        match node.tag.as_ref() {
            "participants" => {
                let Some(NodeContent::Nodes(listed)) = node.content else {
                    continue;
                };
                for target in listed {
                    if let (Some(jid), Some(NodeContent::Nodes(encrypted))) = (jid_attr(&target, "jid"), target.content)
                    {
                        parts.targets.push((jid, encrypted));
                    }
                }
            }
            "device-identity" => parts.identity = Some(node),
            _ => parts.shared.push(node),
        }
    }
    parts
}

/// Attributes every copy of a message has.
fn envelope(origin: &Origin, stanza: &Node, from: impl Into<NodeValue>) -> NodeBuilder {
    let mut builder = NodeBuilder::new("message")
        .attr("from", from)
        .attr("t", unix_seconds())
        .attr("notify", origin.account.name());
    for key in ["id", "type", "category", "edit", "push_priority", "privacy_sensitive"] {
        if let Some(value) = stanza.attrs.get(key) {
            builder = builder.attr(key, value.clone());
        }
    }
    builder
}

/// A device's copy: its own parts, the proof of identity if it starts a session, the shared parts.
fn content_for(own: Vec<Node>, identity: Option<&Node>, shared: &[Node]) -> Vec<Node> {
    let starts_session = own
        .iter()
        .chain(shared)
        .any(|part| part.tag == "enc" && attr_is(part, "type", "pkmsg"));
    let mut content = own;
    content.reserve(shared.len() + 1);
    content.extend(shared.iter().cloned());
    if starts_session && let Some(identity) = identity {
        content.push(identity.clone());
    }
    content
}

fn to_account(core: &Arc<Core>, origin: &Origin, mut stanza: Node, to: &Jid) -> Verdict {
    let Some(recipient) = core.visible_account_of(to) else {
        return Verdict::Refused(NOT_FOUND);
    };
    let own = Arc::ptr_eq(&recipient, &origin.account);
    if !own && let Some(code) = refusal(&recipient) {
        return Verdict::Refused(code);
    }
    let blocked = !own && blocks(&recipient, &origin.account);
    let addressing = Addressing::of(to).unwrap_or(Addressing::Number);
    let Parts {
        targets,
        identity,
        shared,
    } = take_apart(stanza.content.take());

    if targets.is_empty() {
        // To one device: a peer message, a resend after a retry receipt.
        if !blocked && let Some(device) = recipient.device(to.device) {
            let mut copy = direct_envelope(origin, &stanza, addressing);
            if own && let Some(value) = stanza.attrs.get("recipient") {
                copy = copy.attr("recipient", value.clone());
            }
            let content = content_for(Vec::new(), identity.as_ref(), &shared);
            device.deliver(&recipient, copy.children(content).build());
        }
        return Verdict::Accepted { device_hash: None };
    }

    let mut reached = Reached::default();
    for (jid, encrypted) in targets {
        let Some(account) = core.account_of(&jid) else { continue };
        let to_own = Arc::ptr_eq(&account, &origin.account);
        if !to_own && !Arc::ptr_eq(&account, &recipient) {
            continue;
        }
        let Some(device) = account.device(jid.device).filter(|device| device.is_confirmed()) else {
            reached.unknown += 1;
            continue;
        };
        reached.known += 1;
        if blocked && !to_own {
            continue;
        }
        let copy = if to_own {
            let own_addressing = Addressing::of(&jid).unwrap_or(addressing);
            let copy = direct_envelope(origin, &stanza, own_addressing);
            copy.attr("recipient", to.to_non_ad())
        } else {
            direct_envelope(origin, &stanza, addressing)
        };
        let content = content_for(encrypted, identity.as_ref(), &shared);
        device.deliver(&account, copy.children(content).build());
    }
    Verdict::Accepted {
        device_hash: reached.missed(origin, &recipient, addressing),
    }
}

fn direct_envelope(origin: &Origin, stanza: &Node, addressing: Addressing) -> NodeBuilder {
    let copy = envelope(origin, stanza, origin.jid(addressing));
    match addressing {
        Addressing::Number => copy.attr("sender_lid", origin.account.jid(Addressing::Hidden)),
        Addressing::Hidden => copy
            .attr("sender_pn", origin.account.jid(Addressing::Number))
            .attr("addressing_mode", "lid"),
    }
}

/// How the devices a sender encrypted for compare with those that exist.
#[derive(Default)]
struct Reached {
    known: usize,
    unknown: usize,
}

impl Reached {
    /// The hash of the right devices when the sender's list was another.
    fn missed(&self, origin: &Origin, recipient: &Arc<Account>, addressing: Addressing) -> Option<String> {
        let confirmed = |account: &Account| {
            account
                .devices()
                .values()
                .filter(|device| device.is_confirmed())
                .count()
        };
        let own = Arc::ptr_eq(recipient, &origin.account);
        let expected = confirmed(&origin.account) - 1 + if own { 0 } else { confirmed(recipient) };
        if self.unknown == 0 && self.known == expected {
            return None;
        }
        let mut devices: Vec<Jid> = Vec::with_capacity(expected + 1);
        for account in [&origin.account, recipient] {
            for device in account.devices().values().filter(|device| device.is_confirmed()) {
                devices.push(account.device_jid(addressing, device.id));
            }
            if own {
                break;
            }
        }
        MessageUtils::participant_list_hash(&devices).ok()
    }
}

/// Whether messages to this account are being refused, and how.
fn refusal(recipient: &Account) -> Option<u16> {
    let mut faults = lock(&recipient.faults);
    if let Some((left, code)) = faults.nack_next.as_mut() {
        let code = *code;
        *left = left.saturating_sub(1);
        if *left == 0 {
            faults.nack_next = None;
        }
        return Some(code);
    }
    drop(faults);
    recipient.with_behavior(|behavior| behavior.nack_code)
}

/// Whether `recipient` blocks `sender`, by script or by a client's own block list.
fn blocks(recipient: &Account, sender: &Account) -> bool {
    recipient.with_behavior(|behavior| {
        behavior
            .blocks
            .iter()
            .any(|number| number.trim_start_matches('+') == sender.user)
    }) || lock(&recipient.settings).blocklist.contains(&sender.user)
}

fn to_group(core: &Arc<Core>, origin: &Origin, mut stanza: Node, to: &Jid) -> Verdict {
    let Some(group) = core.group(to.user.as_str()) else {
        return Verdict::Refused(NOT_FOUND);
    };
    let (addressing, members) = {
        let group = lock(&group);
        let Some(role) = group.members.get(&origin.account.user) else {
            return Verdict::Refused(FORBIDDEN);
        };
        if group.announce && !role.is_admin() {
            return Verdict::Refused(FORBIDDEN);
        }
        (group.addressing, group.members.keys().cloned().collect::<Vec<_>>())
    };
    let retry_for = jid_attr(&stanza, "participant");
    let Parts {
        targets,
        identity,
        shared,
    } = take_apart(stanza.content.take());
    let envelope = || {
        let copy = envelope(origin, &stanza, to)
            .attr("participant", origin.jid(addressing))
            .attr("addressing_mode", addressing.as_str());
        match addressing {
            Addressing::Number => copy.attr("participant_lid", origin.account.jid(Addressing::Hidden)),
            Addressing::Hidden => copy.attr("participant_pn", origin.account.jid(Addressing::Number)),
        }
    };

    if let Some(jid) = retry_for {
        if let Some(account) = core.account_of(&jid)
            && let Some(device) = account.device(jid.device)
        {
            let content = content_for(Vec::new(), identity.as_ref(), &shared);
            device.deliver(&account, envelope().children(content).build());
        }
        return Verdict::Accepted { device_hash: None };
    }

    let mut own_parts: HashMap<(String, u16), Vec<Node>> = HashMap::with_capacity(targets.len());
    for (jid, encrypted) in targets {
        if let Some(account) = core.account_of(&jid) {
            own_parts.insert((account.user.clone(), jid.device), encrypted);
        }
    }
    for member in members {
        let Some(account) = core.account(&member) else { continue };
        let devices = account.devices();
        for device in devices.values().filter(|device| goes_to(origin, &account, device)) {
            let own = own_parts.remove(&(member.clone(), device.id)).unwrap_or_default();
            let content = content_for(own, identity.as_ref(), &shared);
            device.deliver(&account, envelope().children(content).build());
        }
    }
    Verdict::Accepted { device_hash: None }
}

/// Every confirmed device of a member but the one that sent.
fn goes_to(origin: &Origin, account: &Arc<Account>, device: &Device) -> bool {
    device.is_confirmed() && !(Arc::ptr_eq(account, &origin.account) && device.id == origin.device)
}

/// The `<enc>` children of a message.
pub fn encrypted_parts(stanza: &Node) -> impl Iterator<Item = &Node> {
    children(stanza).iter().filter(|part| part.tag == "enc")
}
