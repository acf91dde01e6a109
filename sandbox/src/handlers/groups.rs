//! `w:g2`: what clients ask of groups and change in them.

use std::sync::{Arc, Mutex, PoisonError};

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, Server};

use crate::account::{Account, lock};
use crate::clock;
use crate::core::Core;
use crate::groups::{Description, GroupState, Role};
use crate::handlers::Origin;
use crate::handlers::group_changes::{add, changed, create, notify, remove, set_role, set_subject};
use crate::stanza::{attr, bytes, children, empty_result, error, jid_attr, result};

pub fn handle(core: &Arc<Core>, origin: &Origin, request: &Node, set: bool) -> Node {
    let to = jid_attr(request, "to");
    let Some(action) = children(request).first() else {
        return error(request, 400, "bad-request");
    };
    let in_group = to.filter(|to| to.server == Server::Group && !to.user.is_empty());
    match in_group {
        Some(to) => {
            let Some(group) = core.group(to.user.as_str()) else {
                return error(request, 404, "item-not-found");
            };
            if !lock(&group).members.contains_key(&origin.account.user) {
                return error(request, 403, "forbidden");
            }
            if set {
                change(core, origin, request, action, &group)
            } else {
                read(core, request, action, &group)
            }
        }
        None => about_groups(core, origin, request, action, set),
    }
}

/// Requests to `@g.us` itself: create, list, leave, invitations.
fn about_groups(core: &Arc<Core>, origin: &Origin, request: &Node, action: &Node, set: bool) -> Node {
    match (action.tag.as_ref(), set) {
        ("create", true) => {
            let subject = attr(action, "subject").unwrap_or_default().into_owned();
            let members: Vec<Arc<Account>> = participants(core, action);
            let group = create(core, &origin.account, Some(origin.device), &subject, &members);
            let node = lock(&group).node(core);
            result(request, [node])
        }
        ("participating", false) => {
            let groups = core.groups_of(&origin.account);
            let nodes: Vec<Node> = groups.iter().map(|group| lock(group).node(core)).collect();
            result(request, [NodeBuilder::new("groups").children(nodes).build()])
        }
        ("leave", true) => {
            let mut left = Vec::new();
            for node in children(action) {
                let Some(jid) = jid_attr(node, "id") else { continue };
                if let Some(group) = core.group(jid.user.as_str()) {
                    remove(
                        core,
                        &origin.account,
                        Some(origin.device),
                        &group,
                        &[Arc::clone(&origin.account)],
                    );
                }
                left.push(NodeBuilder::new("group").attr("id", jid).build());
            }
            result(request, [NodeBuilder::new("leave").children(left).build()])
        }
        ("invite", _) => by_invitation(core, origin, request, action, set),
        _ => error(request, 501, "feature-not-implemented"),
    }
}

/// `<invite code/>`: look at a group (`get`) or join it (`set`).
fn by_invitation(core: &Arc<Core>, origin: &Origin, request: &Node, action: &Node, set: bool) -> Node {
    let invitation = attr(action, "code").unwrap_or_default();
    let found = core
        .groups
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .values()
        .find(|group| lock(group).invite == invitation)
        .cloned();
    let Some(group) = found else {
        return error(request, 406, "not-acceptable");
    };
    if !set {
        let node = lock(&group).node(core);
        return result(request, [node]);
    }
    add(
        core,
        &origin.account,
        Some(origin.device),
        &group,
        &[Arc::clone(&origin.account)],
    );
    let jid = lock(&group).jid();
    result(request, [NodeBuilder::new("group").attr("jid", jid).build()])
}

fn read(core: &Arc<Core>, request: &Node, action: &Node, group: &Mutex<GroupState>) -> Node {
    let group = lock(group);
    match action.tag.as_ref() {
        "query" => result(request, [group.node(core)]),
        "invite" => result(
            request,
            [NodeBuilder::new("invite").attr("code", group.invite.as_str()).build()],
        ),
        "membership_approval_requests" => result(request, [NodeBuilder::new("membership_approval_requests").build()]),
        _ => error(request, 501, "feature-not-implemented"),
    }
}

fn change(core: &Arc<Core>, origin: &Origin, request: &Node, action: &Node, group: &Arc<Mutex<GroupState>>) -> Node {
    let actor = &origin.account;
    let admin = lock(group).is_admin(&actor.user);
    let tag = action.tag.as_ref();
    let free_for_members = match tag {
        "add" => lock(group).member_add_mode == "all_member_add",
        "subject" | "description" => !lock(group).locked,
        _ => false,
    };
    if !admin && !free_for_members {
        return error(request, 403, "forbidden");
    }
    match tag {
        "add" | "remove" | "promote" | "demote" => {
            let answers = change_participants(core, origin, action, group);
            let tag = match tag {
                "add" => "add",
                "remove" => "remove",
                "promote" => "promote",
                _ => "demote",
            };
            return result(request, [NodeBuilder::new(tag).children(answers).build()]);
        }
        "invite" => {
            let invitation = clock::token(12);
            lock(group).invite.clone_from(&invitation);
            core.groups_dirty.store(true, std::sync::atomic::Ordering::Release);
            return result(request, [NodeBuilder::new("invite").attr("code", invitation).build()]);
        }
        _ => {}
    }
    let told = {
        let mut group = lock(group);
        apply_setting(&mut group, actor, action)
    };
    let Some(told) = told else {
        return error(request, 501, "feature-not-implemented");
    };
    changed(core, group);
    notify(core, group, actor, Some(origin.device), &told, &[]);
    empty_result(request)
}

/// Changes one property; returns the child of the notification that tells of it.
fn apply_setting(group: &mut GroupState, actor: &Account, action: &Node) -> Option<Node> {
    let text = |node: &Node| bytes(node).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    match action.tag.as_ref() {
        "subject" => {
            return Some(set_subject(group, actor, text(action).unwrap_or_default()));
        }
        "description" => {
            let id = attr(action, "id").unwrap_or_default().into_owned();
            let body = action.get_optional_child("body").and_then(text);
            let node = NodeBuilder::new("description").attr("id", id.as_str());
            let told = match &body {
                Some(text) => node.children([NodeBuilder::new("body").string_content(text.as_str()).build()]),
                None => node.children([NodeBuilder::new("delete").build()]),
            };
            group.description = body.map(|text| Description {
                id,
                text,
                author: actor.user.clone(),
                at: clock::now().timestamp(),
            });
            return Some(told.build());
        }
        "announcement" => group.announce = true,
        "not_announcement" => group.announce = false,
        "locked" => group.locked = true,
        "unlocked" => group.locked = false,
        "ephemeral" => group.ephemeral = attr(action, "expiration").and_then(|value| value.parse().ok()),
        "not_ephemeral" => group.ephemeral = None,
        "membership_approval_mode" => {
            group.join_approval = action
                .get_optional_child("group_join")
                .is_some_and(|join| attr(join, "state").as_deref() == Some("on"));
        }
        "member_add_mode" => group.member_add_mode = text(action).unwrap_or_default(),
        _ => return None,
    }
    Some(action.clone())
}

/// The accounts of the `<participant jid>` children; unknown ones are left out.
fn participants(core: &Core, action: &Node) -> Vec<Arc<Account>> {
    children(action)
        .iter()
        .filter(|node| node.tag == "participant")
        .filter_map(|node| core.visible_account_of(&jid_attr(node, "jid")?))
        .collect()
}

/// `<participant jid [error]>` for each one named: 404 unknown, 409 in the group already.
fn change_participants(core: &Arc<Core>, origin: &Origin, action: &Node, group: &Arc<Mutex<GroupState>>) -> Vec<Node> {
    let mut answers = Vec::new();
    let mut changing = Vec::new();
    for node in children(action).iter().filter(|node| node.tag == "participant") {
        let Some(jid) = jid_attr(node, "jid") else { continue };
        let answer = NodeBuilder::new("participant").attr("jid", &jid);
        let account = core.visible_account_of(&jid);
        let member = account
            .as_ref()
            .is_some_and(|account| lock(group).members.contains_key(&account.user));
        match (account, action.tag.as_ref(), member) {
            (None, ..) | (Some(_), "remove" | "promote" | "demote", false) => {
                answers.push(answer.attr("error", 404).build());
            }
            (Some(_), "add", true) => answers.push(answer.attr("error", 409).build()),
            (Some(account), ..) => {
                answers.push(answer.build());
                changing.push(account);
            }
        }
    }
    if changing.is_empty() {
        return answers;
    }
    match action.tag.as_ref() {
        "add" => add(core, &origin.account, Some(origin.device), group, &changing),
        "remove" => remove(core, &origin.account, Some(origin.device), group, &changing),
        "promote" => set_role(core, origin, group, &changing, Role::Admin, "promote"),
        _ => set_role(core, origin, group, &changing, Role::Member, "demote"),
    }
    answers
}
