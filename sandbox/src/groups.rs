//! Groups: who is in them and how they are set.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::account::Account;
use crate::core::Core;
use crate::number::{Addressing, with_plus};
use crate::views::Group;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    Member,
    Admin,
    /// The creator.
    Owner,
}

impl Role {
    pub fn is_admin(self) -> bool {
        self != Self::Member
    }

    /// The `type` of a `<participant>`; members have none.
    fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Member => None,
            Self::Admin => Some("admin"),
            Self::Owner => Some("superadmin"),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Description {
    pub id: String,
    pub text: String,
    pub author: String,
    pub at: i64,
}

/// A group as the server keeps it. Members are named by their number's digits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupState {
    /// The user part of the jid.
    pub id: String,
    pub subject: String,
    pub subject_author: String,
    pub subject_at: i64,
    pub owner: String,
    pub created_at: DateTime<Utc>,
    pub addressing: Addressing,
    pub members: BTreeMap<String, Role>,
    pub description: Option<Description>,
    /// Only admins write.
    pub announce: bool,
    /// Only admins change the group.
    pub locked: bool,
    /// Disappearing messages, in seconds.
    pub ephemeral: Option<u32>,
    pub join_approval: bool,
    /// `admin_add` or `all_member_add`.
    pub member_add_mode: String,
    pub invite: String,
}

impl GroupState {
    pub fn jid(&self) -> Jid {
        Jid::group(self.id.as_str())
    }

    pub fn is_admin(&self, user: &str) -> bool {
        self.members.get(user).is_some_and(|role| role.is_admin())
    }

    pub fn view(&self) -> Group {
        Group {
            jid: self.jid().to_string(),
            subject: self.subject.clone(),
            owner: with_plus(&self.owner),
            participants: self.members.keys().map(|user| with_plus(user)).collect(),
            created_at: self.created_at,
        }
    }

    /// `<group>` as whatsapp-rust's `iq/groups.rs` reads it.
    pub fn node(&self, core: &Core) -> Node {
        let mut node = NodeBuilder::new("group")
            .attr("id", self.id.as_str())
            .attr("subject", self.subject.as_str())
            .attr("s_t", self.subject_at)
            .attr("creation", self.created_at.timestamp())
            .attr("addressing_mode", self.addressing.as_str())
            .attr("size", self.members.len());
        if let Some(owner) = core.account(&self.owner) {
            node = node.attr("creator", owner.jid(self.addressing));
            if self.addressing == Addressing::Hidden {
                node = node.attr("creator_pn", owner.jid(Addressing::Number));
            }
        }
        if let Some(author) = core.account(&self.subject_author) {
            node = node.attr("s_o", author.jid(self.addressing));
        }
        let mut children: Vec<Node> = self
            .members
            .iter()
            .filter_map(|(user, role)| Some(participant(&*core.account(user)?, *role, self.addressing)))
            .collect();
        if let Some(description) = &self.description {
            let mut node = NodeBuilder::new("description")
                .attr("id", description.id.as_str())
                .attr("t", description.at);
            if let Some(author) = core.account(&description.author) {
                node = node.attr("participant", author.jid(self.addressing));
            }
            let body = NodeBuilder::new("body")
                .string_content(description.text.as_str())
                .build();
            children.push(node.children([body]).build());
        }
        children.extend(self.settings());
        node.children(children).build()
    }

    fn settings(&self) -> Vec<Node> {
        let mut settings = Vec::new();
        if self.announce {
            settings.push(NodeBuilder::new("announcement").build());
        }
        if self.locked {
            settings.push(NodeBuilder::new("locked").build());
        }
        if let Some(expiration) = self.ephemeral {
            settings.push(NodeBuilder::new("ephemeral").attr("expiration", expiration).build());
        }
        if self.join_approval {
            let join = NodeBuilder::new("group_join").attr("state", "on").build();
            settings.push(NodeBuilder::new("membership_approval_mode").children([join]).build());
        }
        if !self.member_add_mode.is_empty() {
            settings.push(
                NodeBuilder::new("member_add_mode")
                    .string_content(self.member_add_mode.as_str())
                    .build(),
            );
        }
        settings
    }
}

/// `<participant jid [lid|phone_number] [type]>`.
pub fn participant(account: &Account, role: Role, addressing: Addressing) -> Node {
    let mut node = NodeBuilder::new("participant").attr("jid", account.jid(addressing));
    node = match addressing {
        Addressing::Number => node.attr("lid", account.jid(Addressing::Hidden)),
        Addressing::Hidden => node.attr("phone_number", account.jid(Addressing::Number)),
    };
    if let Some(kind) = role.as_str() {
        node = node.attr("type", kind);
    }
    node.build()
}
