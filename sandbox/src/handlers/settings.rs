//! Settings of an account, server properties, and everything a client asks that has no effect here.

use std::sync::Arc;

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::account::lock;
use crate::core::Core;
use crate::handlers::Origin;
use crate::stanza::{attr, bytes, children, empty_result, error, jid_attr, leaf, result};

/// Privacy categories and their values before anybody changed them.
const PRIVACY: [(&str, &str); 9] = [
    ("readreceipts", "all"),
    ("last", "all"),
    ("status", "all"),
    ("profile", "all"),
    ("groupadd", "all"),
    ("online", "all"),
    ("calladd", "all"),
    ("messages", "all"),
    ("defense", "off"),
];

pub fn handle(core: &Arc<Core>, origin: &Origin, request: &Node, namespace: &str, set: bool) -> Node {
    match (namespace, set) {
        // Experiments and limits: an empty list of properties, as a new account gets.
        ("abt" | "w", false) => result(
            request,
            [NodeBuilder::new("props")
                .attr("protocol", "1")
                .attr("hash", "sandbox")
                .attr("refresh", 86_400)
                .build()],
        ),
        ("blocklist", _) => blocklist(core, origin, request, set),
        ("privacy", _) => privacy(origin, request, set),
        ("status", true) => {
            let about = request.get_optional_child("status").and_then(bytes).unwrap_or_default();
            lock(&origin.account.settings).about = String::from_utf8_lossy(about).into_owned();
            origin.account.mark_dirty();
            empty_result(request)
        }
        ("w:profile:picture", true) => {
            let picture = NodeBuilder::new("picture")
                .attr("id", crate::clock::unix_seconds())
                .build();
            result(request, [picture])
        }
        ("w:profile:picture", false) => error(request, 404, "item-not-found"),
        ("w:mex", false) => mex(request),
        // Clients clean dirty bits, report statistics, accept terms: noted.
        (_, true) => empty_result(request),
        (_, false) => error(request, 501, "feature-not-implemented"),
    }
}

/// `<iq xmlns="blocklist">`: `<item action jid/>` changes the list, both answer with all of it.
fn blocklist(core: &Core, origin: &Origin, request: &Node, set: bool) -> Node {
    let mut settings = lock(&origin.account.settings);
    if set {
        for item in children(request).iter().filter(|item| item.tag == "item") {
            let Some(account) = jid_attr(item, "jid").and_then(|jid| core.account_of(&jid)) else {
                continue;
            };
            settings.blocklist.retain(|user| *user != account.user);
            if attr(item, "action").as_deref() == Some("block") {
                settings.blocklist.push(account.user.clone());
            }
        }
        origin.account.mark_dirty();
    }
    let items = settings
        .blocklist
        .iter()
        .map(|user| NodeBuilder::new("item").attr("jid", Jid::pn(user.as_str())).build());
    result(request, [NodeBuilder::new("list").children(items).build()])
}

/// `<privacy><category name value/>`; `<tokens>` (trusted-contact tokens) are only acknowledged.
fn privacy(origin: &Origin, request: &Node, set: bool) -> Node {
    let mut settings = lock(&origin.account.settings);
    let category = |name: &str, value: &str| {
        NodeBuilder::new("category")
            .attr("name", name)
            .attr("value", value)
            .build()
    };
    let Some(changed) = request.get_optional_child("privacy").filter(|_| set) else {
        if set {
            return empty_result(request);
        }
        let categories = PRIVACY
            .iter()
            .map(|(name, default)| category(name, settings.privacy.get(*name).map_or(*default, String::as_str)));
        return result(request, [NodeBuilder::new("privacy").children(categories).build()]);
    };
    let mut answers = Vec::new();
    for node in children(changed).iter().filter(|node| node.tag == "category") {
        if let (Some(name), Some(value)) = (attr(node, "name"), attr(node, "value")) {
            settings
                .privacy
                .insert(name.clone().into_owned(), value.clone().into_owned());
            answers.push(category(&name, &value));
        }
    }
    origin.account.mark_dirty();
    result(request, [NodeBuilder::new("privacy").children(answers).build()])
}

/// `<query query_id>`: the two questions about limits are answered with "none"; other queries are
/// errors, as an unknown query is.
fn mex(request: &Node) -> Node {
    use wacore::iq::mex_operations::{fetch_new_chat_message_capping_info, fetch_reachout_timelock};
    let query = request
        .get_optional_child("query")
        .and_then(|query| attr(query, "query_id"));
    let answer = match query.as_deref() {
        Some(fetch_reachout_timelock::DOC_ID) => {
            serde_json::json!({"data": {"xwa2_fetch_account_reachout_timelock": {"is_active": false}}})
        }
        Some(fetch_new_chat_message_capping_info::DOC_ID) => {
            serde_json::json!({"data": {"xwa2_message_capping_info": {"capping_status": "NONE"}}})
        }
        _ => return error(request, 501, "feature-not-implemented"),
    };
    result(request, [leaf("result", answer.to_string())])
}
