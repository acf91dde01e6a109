//! `w:sync:app:state`: companions fetch and change the account's collections.

use std::sync::Arc;

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::account::lock;
use crate::clock;
use crate::core::Core;
use crate::handlers::Origin;
use crate::number::Addressing;
use crate::stanza::{attr, bytes, children, leaf, result};

/// Answers each `<collection name version>` with the patches after its version, or takes its
/// `<patch>`; as wacore-appstate's `patch_decode.rs` reads it.
pub fn handle(core: &Arc<Core>, origin: &Origin, request: &Node) -> Node {
    let asked = request.get_optional_child("sync").map(children).unwrap_or_default();
    let mut changed = Vec::new();
    let answers: Vec<Node> = {
        let mut collections = lock(&origin.account.collections);
        asked
            .iter()
            .filter(|node| node.tag == "collection")
            .map(|node| {
                let name = attr(node, "name").unwrap_or_default();
                let base = attr(node, "version")
                    .and_then(|version| version.parse().ok())
                    .unwrap_or(0);
                let patch = node
                    .get_optional_child("patch")
                    .or_else(|| {
                        node.get_optional_child("patches")
                            .and_then(|all| all.get_optional_child("patch"))
                    })
                    .and_then(bytes);
                let mut conflict = false;
                if let Some(patch) = patch {
                    match collections.append(&name, base, patch) {
                        Ok(version) => {
                            changed.push((name.clone().into_owned(), version));
                            return collection(&name, version).build();
                        }
                        Err(crate::app_state::Conflict) => conflict = true,
                    }
                }
                let missing: Vec<Node> = collections
                    .after(&name, base)
                    .iter()
                    .map(|patch| leaf("patch", patch.as_slice()))
                    .collect();
                let mut content = Vec::new();
                if !missing.is_empty() {
                    content.push(NodeBuilder::new("patches").children(missing).build());
                }
                let mut answer = collection(&name, collections.version(&name));
                if conflict {
                    answer = answer.attr("type", "error");
                    content.push(
                        NodeBuilder::new("error")
                            .attr("code", 409)
                            .attr("text", "conflict")
                            .build(),
                    );
                }
                if content.is_empty() {
                    answer.build()
                } else {
                    answer.children(content).build()
                }
            })
            .collect()
    };
    if !changed.is_empty() {
        core.save_soon(&origin.account);
        notify_others(origin, &changed);
    }
    result(request, [NodeBuilder::new("sync").children(answers).build()])
}

fn collection(name: &str, version: u64) -> NodeBuilder {
    NodeBuilder::new("collection")
        .attr("name", name)
        .attr("version", version)
        .attr("has_more_patches", "false")
}

/// `<notification type="server_sync"><collection name version/>`: the other companions fetch.
fn notify_others(origin: &Origin, changed: &[(String, u64)]) {
    for device in origin.account.devices().values() {
        if device.id == 0 || device.id == origin.device || !device.is_confirmed() {
            continue;
        }
        let collections = changed.iter().map(|(name, version)| {
            NodeBuilder::new("collection")
                .attr("name", name)
                .attr("version", *version)
                .build()
        });
        device.deliver(
            &origin.account,
            NodeBuilder::new("notification")
                .attr("from", origin.account.jid(Addressing::Number))
                .attr("id", clock::message_id())
                .attr("type", "server_sync")
                .attr("t", clock::unix_seconds())
                .children(collections)
                .build(),
        );
    }
}
