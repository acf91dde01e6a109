//! Groups made and changed, by clients and by phones, and the notifications that tell of it.

use std::sync::{Arc, Mutex, PoisonError};

use rand::RngExt;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::account::{Account, lock};
use crate::clock;
use crate::core::Core;
use crate::groups::{GroupState, Role, participant};
use crate::handlers::Origin;
use crate::number::Addressing;
use crate::views::NetworkEvent;

/// Creates a group and tells every member's devices, except the one that asked.
pub fn create(
    core: &Arc<Core>,
    owner: &Arc<Account>,
    device: Option<u16>,
    subject: &str,
    members: &[Arc<Account>],
) -> Arc<Mutex<GroupState>> {
    let id = format!("120363{:012}", rand::rng().random_range(0..1_000_000_000_000u64));
    let now = clock::now();
    let mut roles: std::collections::BTreeMap<String, Role> = members
        .iter()
        .map(|account| (account.user.clone(), Role::Member))
        .collect();
    roles.insert(owner.user.clone(), Role::Owner);
    let group = Arc::new(Mutex::new(GroupState {
        id: id.clone(),
        subject: subject.to_owned(),
        subject_author: owner.user.clone(),
        subject_at: now.timestamp(),
        owner: owner.user.clone(),
        created_at: now,
        addressing: core.addressing(),
        members: roles,
        description: None,
        announce: false,
        locked: false,
        ephemeral: None,
        join_approval: false,
        member_add_mode: "all_member_add".to_owned(),
        invite: clock::token(12),
    }));
    core.groups
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(id, Arc::clone(&group));
    changed(core, &group);
    let told = NodeBuilder::new("create")
        .attr("type", "new")
        .attr("key", clock::message_id())
        .children([lock(&group).node(core)])
        .build();
    notify(core, &group, owner, device, &told, &[]);
    group
}

/// Adds members.
pub fn add(
    core: &Arc<Core>,
    actor: &Arc<Account>,
    device: Option<u16>,
    group: &Arc<Mutex<GroupState>>,
    added: &[Arc<Account>],
) {
    for account in added {
        lock(group).members.entry(account.user.clone()).or_insert(Role::Member);
    }
    changed(core, group);
    let told = listing(group, "add", added, Role::Member);
    notify(core, group, actor, device, &told, &[]);
}

/// Removes members; they are told as well.
pub fn remove(
    core: &Arc<Core>,
    actor: &Arc<Account>,
    device: Option<u16>,
    group: &Arc<Mutex<GroupState>>,
    removed: &[Arc<Account>],
) {
    for account in removed {
        lock(group).members.remove(&account.user);
    }
    changed(core, group);
    let told = listing(group, "remove", removed, Role::Member);
    notify(core, group, actor, device, &told, removed);
}

pub fn set_role(
    core: &Arc<Core>,
    origin: &Origin,
    group: &Arc<Mutex<GroupState>>,
    accounts: &[Arc<Account>],
    role: Role,
    tag: &'static str,
) {
    {
        let mut group = lock(group);
        for account in accounts {
            if let Some(current) = group.members.get_mut(&account.user)
                && *current != Role::Owner
            {
                *current = role;
            }
        }
    }
    changed(core, group);
    let told = listing(group, tag, accounts, role);
    notify(core, group, &origin.account, Some(origin.device), &told, &[]);
}

/// Gives a group another name and tells its members.
pub fn rename(
    core: &Arc<Core>,
    actor: &Arc<Account>,
    device: Option<u16>,
    group: &Arc<Mutex<GroupState>>,
    subject: &str,
) {
    let told = set_subject(&mut lock(group), actor, subject.to_owned());
    changed(core, group);
    notify(core, group, actor, device, &told, &[]);
}

/// Returns the child of the notification that tells of it.
pub fn set_subject(group: &mut GroupState, actor: &Account, subject: String) -> Node {
    group.subject = subject;
    group.subject_author.clone_from(&actor.user);
    group.subject_at = clock::now().timestamp();
    NodeBuilder::new("subject")
        .attr("subject", group.subject.as_str())
        .attr("s_o", actor.jid(group.addressing))
        .attr("s_t", group.subject_at)
        .build()
}

fn listing(group: &Mutex<GroupState>, tag: &'static str, accounts: &[Arc<Account>], role: Role) -> Node {
    let addressing = lock(group).addressing;
    NodeBuilder::new(tag)
        .children(accounts.iter().map(|account| participant(account, role, addressing)))
        .build()
}

pub fn changed(core: &Core, group: &Mutex<GroupState>) {
    core.groups_dirty.store(true, std::sync::atomic::Ordering::Release);
    core.save_now.notify_one();
    core.emit(NetworkEvent::GroupChanged {
        group: lock(group).view(),
    });
}

/// `<notification type="w:gp2" from=group participant=actor>` to the companions of all members (and
/// of those who just left), except the device that acted: its answer says the same.
pub fn notify(
    core: &Core,
    group: &Mutex<GroupState>,
    actor: &Account,
    device: Option<u16>,
    told: &Node,
    also: &[Arc<Account>],
) {
    let (jid, addressing, members): (Jid, Addressing, Vec<String>) = {
        let group = lock(group);
        (group.jid(), group.addressing, group.members.keys().cloned().collect())
    };
    let accounts = members
        .iter()
        .filter_map(|user| core.account(user))
        .chain(also.iter().cloned());
    for account in accounts {
        for target in account.devices().values() {
            let acted = account.user == actor.user && Some(target.id) == device;
            if target.id == 0 || acted || !target.is_confirmed() {
                continue;
            }
            let mut notification = NodeBuilder::new("notification")
                .attr("from", &jid)
                .attr("type", "w:gp2")
                .attr("id", clock::message_id())
                .attr("t", clock::unix_seconds())
                .attr("notify", actor.name())
                .attr("participant", actor.jid(addressing))
                .attr("addressing_mode", addressing.as_str());
            if addressing == Addressing::Hidden {
                notification = notification.attr("participant_pn", actor.jid(Addressing::Number));
            }
            target.deliver(&account, notification.children([told.clone()]).build());
        }
    }
}
