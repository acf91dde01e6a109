//! What each role and each scope of an API token may do: the one table. `docs/permissions.md` is made from it.

use async_graphql::{Enum, SimpleObject};
use entity::membership::Role;

use super::schema;

/// What an API token may do, beside what it may not: manage tokens, members' ownership, or itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
pub enum Scope {
    /// See devices, chats, messages and events.
    Read,
    /// Send messages, mark chats as read.
    Send,
    /// Create, link, change and delete devices.
    ManageDevices,
    /// Create, start and stop campaigns, their lists and templates.
    Campaigns,
    /// Manage members and the tenant's settings, read the audit log. Not for tokens of some devices only.
    Admin,
    /// Send and verify one-time passwords.
    Otp,
    /// Manage webhooks, auto-replies and chatbots.
    Webhooks,
    /// Upload and delete media.
    Media,
    /// Read statistics and usage.
    Analytics,
    /// Send messages as raw WhatsApp protobuf.
    Raw,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::Send,
        Self::ManageDevices,
        Self::Campaigns,
        Self::Admin,
        Self::Otp,
        Self::Webhooks,
        Self::Media,
        Self::Analytics,
        Self::Raw,
    ];

    /// As it is stored and as GraphQL names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Send => "SEND",
            Self::ManageDevices => "MANAGE_DEVICES",
            Self::Campaigns => "CAMPAIGNS",
            Self::Admin => "ADMIN",
            Self::Otp => "OTP",
            Self::Webhooks => "WEBHOOKS",
            Self::Media => "MEDIA",
            Self::Analytics => "ANALYTICS",
            Self::Raw => "RAW",
        }
    }
}

/// Something that a caller may do or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Permission {
    /// See devices, chats, messages and events.
    Read,
    /// Send messages, mark chats as read.
    Send,
    /// Create, link, change and delete devices.
    ManageDevices,
    /// Create, start and stop campaigns, their lists and templates.
    ManageCampaigns,
    /// Send and verify one-time passwords.
    SendOtp,
    /// Upload and delete media.
    ManageMedia,
    /// Manage webhooks, auto-replies and chatbots.
    ManageWebhooks,
    /// Read statistics and usage.
    ReadAnalytics,
    /// Send messages as raw WhatsApp protobuf.
    SendRaw,
    /// See who belongs to the tenant.
    ReadMembers,
    /// Invite and remove members, change their roles; not owners.
    ManageMembers,
    /// Make and unmake owners.
    ManageOwners,
    /// Create, change and revoke API tokens.
    ManageApiTokens,
    /// Change the tenant's name, country, language and time zone.
    ManageTenant,
    /// See who did what in the tenant.
    ReadAuditLog,
    /// Export everything the tenant owns. An operator who is let in as ADMIN has it too.
    ExportTenant,
}

/// Who has a permission.
#[derive(Clone, Copy, Debug)]
struct Rule {
    permission: Permission,
    /// For people, in a few words.
    about: &'static str,
    roles: &'static [Role],
    /// `None`: no API token has it.
    scope: Option<Scope>,
}

const EVERYBODY: &[Role] = &[Role::Owner, Role::Admin, Role::Agent, Role::Analyst];
const SENDERS: &[Role] = &[Role::Owner, Role::Admin, Role::Agent];
const ADMINS: &[Role] = &[Role::Owner, Role::Admin];
const OWNERS: &[Role] = &[Role::Owner];

const fn rule(permission: Permission, about: &'static str, roles: &'static [Role], scope: Option<Scope>) -> Rule {
    Rule {
        permission,
        about,
        roles,
        scope,
    }
}

/// In the order of [`Permission`].
const TABLE: [Rule; 16] = [
    rule(
        Permission::Read,
        "See devices, chats, messages and events",
        EVERYBODY,
        Some(Scope::Read),
    ),
    rule(
        Permission::Send,
        "Send messages, mark chats as read",
        SENDERS,
        Some(Scope::Send),
    ),
    rule(
        Permission::ManageDevices,
        "Create, link, change and delete devices",
        ADMINS,
        Some(Scope::ManageDevices),
    ),
    rule(
        Permission::ManageCampaigns,
        "Create, start and stop campaigns, their lists and templates",
        SENDERS,
        Some(Scope::Campaigns),
    ),
    rule(
        Permission::SendOtp,
        "Send and verify one-time passwords",
        SENDERS,
        Some(Scope::Otp),
    ),
    rule(
        Permission::ManageMedia,
        "Upload and delete media",
        SENDERS,
        Some(Scope::Media),
    ),
    rule(
        Permission::ManageWebhooks,
        "Manage webhooks, auto-replies and chatbots",
        ADMINS,
        Some(Scope::Webhooks),
    ),
    rule(
        Permission::ReadAnalytics,
        "Read statistics and usage",
        EVERYBODY,
        Some(Scope::Analytics),
    ),
    rule(
        Permission::SendRaw,
        "Send messages as raw WhatsApp protobuf",
        ADMINS,
        Some(Scope::Raw),
    ),
    rule(
        Permission::ReadMembers,
        "See who belongs to the tenant",
        EVERYBODY,
        Some(Scope::Admin),
    ),
    rule(
        Permission::ManageMembers,
        "Invite and remove members, change their roles; not owners",
        ADMINS,
        Some(Scope::Admin),
    ),
    rule(Permission::ManageOwners, "Make and unmake owners", OWNERS, None),
    rule(
        Permission::ManageApiTokens,
        "Create, change and revoke API tokens",
        ADMINS,
        None,
    ),
    rule(
        Permission::ManageTenant,
        "Change the tenant's name, country, language and time zone",
        ADMINS,
        Some(Scope::Admin),
    ),
    rule(
        Permission::ReadAuditLog,
        "See who did what in the tenant",
        ADMINS,
        Some(Scope::Admin),
    ),
    rule(
        Permission::ExportTenant,
        "Export everything the tenant owns",
        OWNERS,
        None,
    ),
];

impl Permission {
    /// Every permission.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|rule| rule.permission)
    }

    /// Whether a role has this permission.
    pub fn is_of(self, role: Role) -> bool {
        self.rule().roles.contains(&role)
    }

    /// Whether API tokens with these scopes have this permission.
    pub fn is_in(self, scopes: &[Scope]) -> bool {
        self.rule().scope.is_some_and(|scope| scopes.contains(&scope))
    }

    /// Whether it changes nothing: a suspended tenant still has it.
    pub const fn only_reads(self) -> bool {
        matches!(
            self,
            Self::Read | Self::ReadAnalytics | Self::ReadMembers | Self::ReadAuditLog | Self::ExportTenant
        )
    }

    /// Whether a person in this role has it. An operator who is let in for a while has nothing that would let anybody in
    /// after that: no members, no API tokens.
    pub fn is_held(self, role: Role, by_grant: bool) -> bool {
        match self {
            Self::ManageMembers | Self::ManageOwners | Self::ManageApiTokens if by_grant => false,
            Self::ExportTenant if by_grant => role == Role::Admin,
            _ => self.is_of(role),
        }
    }

    fn rule(self) -> &'static Rule {
        &TABLE[self as usize]
    }
}

/// A line of the table of permissions.
#[derive(SimpleObject)]
pub struct PermissionRule {
    /// What may be done.
    permission: Permission,
    /// The same in words, in English.
    description: &'static str,
    /// The roles that may.
    roles: Vec<schema::Role>,
    /// The scope that lets an API token do it; null when no token may.
    scope: Option<Scope>,
}

/// The table, as the API shows it.
pub fn rules() -> Vec<PermissionRule> {
    let line = |rule: &Rule| PermissionRule {
        permission: rule.permission,
        description: rule.about,
        roles: rule.roles.iter().map(|role| (*role).into()).collect(),
        scope: rule.scope,
    };
    TABLE.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use async_graphql::resolver_utils::EnumType;

    use super::*;

    /// The page of the manual.
    fn page() -> String {
        let mut page = String::from(
            "# Permissions\n\nWhat each role and each scope of an API token may do. The server's table is \
             `api/src/tenants/permission.rs`; a test keeps this page equal to it, and the API shows it as `permissions`.\n\n\
             | | Owner | Admin | Agent | Analyst | API token |\n|---|:-:|:-:|:-:|:-:|---|\n",
        );
        for rule in &TABLE {
            let _ = write!(page, "| {} |", rule.about);
            for role in EVERYBODY {
                page.push_str(if rule.permission.is_of(*role) { " ✓ |" } else { " |" });
            }
            match rule.scope {
                Some(scope) => writeln!(page, " `{}` |", scope.as_str()),
                None => writeln!(page, " never |"),
            }
            .expect("writing to a text never fails");
        }
        page.push_str(
            "\nA token that is restricted to some devices sees only these devices, their chats, messages and events. It \
             cannot have the scope `ADMIN`, and cannot create devices.\n\nAn operator who is let into a tenant for a while has the \
             chosen role there, never OWNER, and neither manages members nor API tokens: nothing lets anybody in after the \
             time is over. As ADMIN the operator may export the tenant.\n",
        );
        page
    }

    #[test]
    fn the_table_has_a_line_for_each_permission_in_their_order() {
        for (index, item) in Permission::items().iter().enumerate() {
            assert_eq!(TABLE[index].permission, item.value);
            assert_eq!(item.value as usize, index);
        }
        assert_eq!(TABLE.len(), Permission::items().len());
    }

    #[test]
    fn scopes_are_named_as_in_the_api() {
        for item in Scope::items() {
            assert_eq!(item.name, item.value.as_str());
        }
        assert_eq!(Scope::items().len(), Scope::ALL.len());
    }

    #[test]
    fn the_manual_shows_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/permissions.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(written, page(), "docs/permissions.md must be:\n{}", page());
    }

    #[test]
    fn no_token_can_raise_itself() {
        for permission in [Permission::ManageApiTokens, Permission::ManageOwners] {
            assert!(!permission.is_in(&Scope::ALL));
        }
    }
}
