//! `usync`: who is on WhatsApp, under which hidden identity, with which devices.
//!
//! As whatsapp-rust's `iq/usync.rs` and Baileys' `USyncQuery` read the answer: one `<user>` per
//! user asked about, with one child per protocol in the `<query>`.

use std::sync::Arc;

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::account::{Account, lock};
use crate::clock::unix_seconds;
use crate::core::Core;
use crate::handlers::Origin;
use crate::number::{Addressing, parse_number};
use crate::stanza::{bytes, children, jid_attr, result};

pub fn handle(core: &Arc<Core>, origin: &Origin, request: &Node) -> Node {
    let query = request.get_optional_child("usync");
    let protocols: Vec<&str> = query
        .and_then(|query| query.get_optional_child("query"))
        .map(children)
        .unwrap_or_default()
        .iter()
        .map(|protocol| protocol.tag.as_ref())
        .collect();
    let users: Vec<Node> = query
        .and_then(|query| query.get_optional_child("list"))
        .map(children)
        .unwrap_or_default()
        .iter()
        .filter_map(|user| about_user(core, origin, user, &protocols))
        .collect();
    let mut answer = NodeBuilder::new("usync");
    for key in ["sid", "mode", "index", "last", "context"] {
        if let Some(value) = query.and_then(|query| query.attrs.get(key)) {
            answer = answer.attr(key, value.clone());
        }
    }
    result(
        request,
        [answer
            .children([NodeBuilder::new("list").children(users).build()])
            .build()],
    )
}

/// The user asked about: by jid, or by a number in `<contact>`.
fn asked_jid(user: &Node) -> Option<Jid> {
    jid_attr(user, "jid").map(Jid::into_non_ad).or_else(|| {
        let number = user.get_optional_child("contact").and_then(bytes)?;
        let digits: String = String::from_utf8_lossy(number)
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        Some(Jid::pn(parse_number(&digits).unwrap_or(digits)))
    })
}

fn about_user(core: &Core, origin: &Origin, user: &Node, protocols: &[&str]) -> Option<Node> {
    let jid = asked_jid(user)?;
    let account = core.visible_account_of(&jid);
    let mut answers = Vec::with_capacity(protocols.len());
    for protocol in protocols {
        match (*protocol, &account) {
            ("contact", found) => {
                let kind = if found.is_some() { "in" } else { "out" };
                let mut contact = NodeBuilder::new("contact").attr("type", kind);
                if let Some(asked) = user.get_optional_child("contact").and_then(bytes) {
                    contact = contact.bytes(asked);
                }
                answers.push(contact.build());
            }
            ("lid", Some(account)) => {
                answers.push(
                    NodeBuilder::new("lid")
                        .attr("val", account.jid(Addressing::Hidden))
                        .build(),
                );
            }
            ("devices", Some(account)) => answers.push(device_list(account)),
            ("status", Some(account)) => answers.push(about(account)),
            ("disappearing_mode", Some(_)) => {
                answers.push(
                    NodeBuilder::new("disappearing_mode")
                        .attr("duration", 0)
                        .attr("t", 0)
                        .build(),
                );
            }
            _ => {}
        }
    }
    let mut answer = NodeBuilder::new("user").attr("jid", &jid);
    if let Some(account) = &account
        && jid.is_lid()
        && (Arc::ptr_eq(account, &origin.account) || protocols.contains(&"contact"))
    {
        answer = answer.attr("pn_jid", account.jid(Addressing::Number));
    }
    Some(answer.children(answers).build())
}

/// `<devices><device-list/><key-index-list/>`: companions count only with a signed key index.
pub fn device_list(account: &Account) -> Node {
    let timestamp = unix_seconds();
    let devices = account.devices();
    let listed = devices.values().filter(|device| device.is_confirmed()).map(|device| {
        let node = NodeBuilder::new("device").attr("id", device.id);
        if device.id == 0 {
            node.build()
        } else {
            node.attr("key-index", device.key_index).build()
        }
    });
    let mut content = vec![NodeBuilder::new("device-list").children(listed).build()];
    if devices.len() > 1
        && let Ok(list) = crate::adv::key_index_list(account, timestamp)
    {
        content.push(
            NodeBuilder::new("key-index-list")
                .attr("ts", timestamp)
                .bytes(list)
                .build(),
        );
    }
    NodeBuilder::new("devices").children(content).build()
}

fn about(account: &Account) -> Node {
    NodeBuilder::new("status")
        .attr("t", account.created_at.timestamp())
        .string_content(lock(&account.settings).about.as_str())
        .build()
}
