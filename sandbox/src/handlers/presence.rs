//! Presence and typing: told to those who are connected, never kept.

use std::sync::Arc;

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, Server};

use crate::account::lock;
use crate::clock::unix_seconds;
use crate::core::Core;
use crate::handlers::Origin;
use crate::number::Addressing;
use crate::stanza::{attr, jid_attr};

/// `<presence type="available" name>` renames the account; `type="subscribe" to` asks for a
/// contact's presence and is answered at once: a phone is available while it is online.
pub fn changed(core: &Arc<Core>, origin: &Origin, presence: &Node) {
    if let Some(name) = attr(presence, "name").filter(|name| !name.is_empty()) {
        let mut current = origin
            .account
            .name
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if *current != name {
            *current = name.into_owned();
            origin.account.mark_dirty();
        }
    }
    if attr(presence, "type").as_deref() != Some("subscribe") {
        return;
    }
    let Some(to) = jid_attr(presence, "to") else {
        return;
    };
    let Some(contact) = core.visible_account_of(&to) else {
        return;
    };
    let mut answer = NodeBuilder::new("presence").attr("from", to.to_non_ad());
    if !contact.with_behavior(|behavior| behavior.online) {
        answer = answer.attr("type", "unavailable").attr("last", unix_seconds());
    }
    if let Some(device) = origin.account.device(origin.device) {
        device.deliver_if_online(answer.build());
    }
}

/// `<chatstate to><composing/></chatstate>`: shown on the recipients' connected companions.
pub fn typing(core: &Arc<Core>, origin: &Origin, mut chatstate: Node) {
    let Some(to) = jid_attr(&chatstate, "to") else {
        return;
    };
    let state = chatstate.content.take();
    if to.server == Server::Group {
        let Some(group) = core.group(to.user.as_str()) else {
            return;
        };
        let (addressing, members) = {
            let group = lock(&group);
            (group.addressing, group.members.keys().cloned().collect::<Vec<_>>())
        };
        let shown = NodeBuilder::new("chatstate")
            .attr("from", &to)
            .attr("participant", origin.account.jid(addressing))
            .apply_content(state)
            .build();
        for member in members.iter().filter(|member| **member != origin.account.user) {
            if let Some(account) = core.account(member) {
                for device in account.devices().values().filter(|device| device.id != 0) {
                    device.deliver_if_online(shown.clone());
                }
            }
        }
        return;
    }
    if let Some(account) = core.visible_account_of(&to) {
        let addressing = Addressing::of(&to).unwrap_or(Addressing::Number);
        let shown = NodeBuilder::new("chatstate")
            .attr("from", origin.account.jid(addressing))
            .apply_content(state)
            .build();
        for device in account.devices().values().filter(|device| device.id != 0) {
            device.deliver_if_online(shown.clone());
        }
    }
}
