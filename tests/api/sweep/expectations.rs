//! Who may ask for what. The one place to add to when a field is new.
//!
//! A rule names a permission; which roles and scopes have it is read from the server's own table,
//! `api/src/tenants/permission.rs`. So a line here is one decision, made when the field is made.

use anyhow::{Result, ensure};
use api::tenants::Permission;
use serde_json::{Value, json};

use super::contract::{Contract, ROOTS};

/// Who may ask for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Everybody, without a token too.
    Public,
    /// Everybody with a valid token.
    Caller,
    /// People, about their own account; no program.
    Person,
    /// People who run the platform.
    Operator,
    /// Roles and scopes that have the permission.
    Needs(Permission),
    /// Whoever has the object; the field reads nothing further, or only what belongs to it.
    WithObject,
}

use Permission as P;
use Rule::{Caller, Needs, Operator, Person, Public, WithObject};

/// Root fields (`Query.devices`) and fields that lead from an object to another (`Device.chats`; `*.device` is that field of
/// every object which has no line of its own). A field that is a mere value stands here when it asks for more than the
/// object it is of.
const FIELDS: &[(&str, Rule)] = &[
    ("Query.node", Needs(P::Read)),
    ("Query.overview", Needs(P::Read)),
    ("Query.viewer", Caller),
    ("Query.permissions", Caller),
    ("Query.tenant", Caller),
    ("Query.sessions", Person),
    ("Query.members", Needs(P::ReadMembers)),
    ("Query.invitations", Needs(P::ManageMembers)),
    ("Query.invitation", Public),
    ("Query.passwordReset", Public),
    ("Query.passwordStrength", Public),
    ("Query.apiTokens", Needs(P::ManageApiTokens)),
    ("Query.devices", Needs(P::Read)),
    ("Query.device", Needs(P::Read)),
    ("Query.chats", Needs(P::Read)),
    ("Query.messages", Needs(P::Read)),
    ("Query.events", Needs(P::Read)),
    ("Query.auditLog", Needs(P::ReadAuditLog)),
    ("Query.usage", Needs(P::ReadAnalytics)),
    ("Query.platform", Operator),
    ("Query.sandbox", Needs(P::Read)),
    ("Mutation.login", Public),
    ("Mutation.completeLogin", Public),
    ("Mutation.refreshSession", Public),
    ("Mutation.requestPasswordReset", Public),
    ("Mutation.resetPassword", Public),
    ("Mutation.createPasswordResetLink", Operator),
    ("Mutation.enrollSecondFactor", Person),
    ("Mutation.confirmSecondFactor", Person),
    ("Mutation.renewRecoveryCodes", Person),
    ("Mutation.disableSecondFactor", Person),
    ("Mutation.logout", Person),
    ("Mutation.updateTenantSettings", Needs(P::ManageTenant)),
    ("Mutation.changePassword", Person),
    ("Mutation.endSession", Person),
    ("Mutation.updateMember", Needs(P::ManageMembers)),
    ("Mutation.removeMember", Needs(P::ManageMembers)),
    ("Mutation.inviteMember", Needs(P::ManageMembers)),
    ("Mutation.resendInvitation", Needs(P::ManageMembers)),
    ("Mutation.revokeInvitation", Needs(P::ManageMembers)),
    ("Mutation.acceptInvitation", Public),
    ("Mutation.createApiToken", Needs(P::ManageApiTokens)),
    ("Mutation.updateApiToken", Needs(P::ManageApiTokens)),
    ("Mutation.revokeApiToken", Needs(P::ManageApiTokens)),
    ("Mutation.createDevice", Needs(P::ManageDevices)),
    ("Mutation.updateDevice", Needs(P::ManageDevices)),
    ("Mutation.connectDevice", Needs(P::ManageDevices)),
    ("Mutation.requestPairingCode", Needs(P::ManageDevices)),
    ("Mutation.disconnectDevice", Needs(P::ManageDevices)),
    ("Mutation.logoutDevice", Needs(P::ManageDevices)),
    ("Mutation.restartDevice", Needs(P::ManageDevices)),
    ("Mutation.wipeDevice", Needs(P::ManageDevices)),
    ("Mutation.deleteDevice", Needs(P::ManageDevices)),
    ("Mutation.sendMessage", Needs(P::Send)),
    ("Mutation.cancelMessage", Needs(P::Send)),
    ("Mutation.retryMessage", Needs(P::Send)),
    ("Mutation.markChatRead", Needs(P::Send)),
    ("Mutation.createTenant", Operator),
    ("Mutation.updateTenant", Operator),
    ("Mutation.suspendTenant", Operator),
    ("Mutation.activateTenant", Operator),
    ("Mutation.deleteTenant", Operator),
    ("Mutation.grantTenantAccess", Operator),
    ("Mutation.revokeTenantAccess", Operator),
    ("Mutation.createPlan", Operator),
    ("Mutation.updatePlan", Operator),
    ("Mutation.deletePlan", Operator),
    ("Mutation.updatePlatformSettings", Operator),
    ("Mutation.sandboxCreatePhone", Needs(P::Send)),
    ("Mutation.sandboxScanQr", Needs(P::Send)),
    ("Mutation.sandboxEnterPairingCode", Needs(P::Send)),
    ("Mutation.sandboxSend", Needs(P::Send)),
    ("Mutation.sandboxSetBehavior", Needs(P::Send)),
    ("Mutation.sandboxDisrupt", Needs(P::Send)),
    ("Mutation.sandboxCreateGroup", Needs(P::Send)),
    ("Subscription.events", Needs(P::Read)),
    ("Subscription.deviceUpdated", Needs(P::Read)),
    ("Subscription.messageUpdated", Needs(P::Read)),
    ("Subscription.sandboxUpdated", Needs(P::Read)),
    ("*.device", Needs(P::Read)),
    ("*.chat", Needs(P::Read)),
    ("*.message", Needs(P::Read)),
    ("*.chats", Needs(P::Read)),
    ("*.messages", Needs(P::Read)),
    ("Chat.lastMessage", Needs(P::Read)),
    ("Device.queue", Needs(P::Read)),
    ("Device.unreadCount", Needs(P::Read)),
    ("Device.qr", WithObject),
    ("Device.pairingCode", WithObject),
    ("Message.sender", WithObject),
    ("Message.recipient", WithObject),
    ("Message.content", WithObject),
    ("TextContent.linkPreview", WithObject),
    ("TextContent.mentions", WithObject),
    ("Mention.name", Needs(P::Read)),
    ("Mention.isOwn", Needs(P::Read)),
    ("Message.statusHistory", WithObject),
    ("Message.error", WithObject),
    ("Message.receipts", Needs(P::Read)),
    ("Receipt.party", WithObject),
    ("ApiToken.limits", WithObject),
    ("AuditEntry.actor", WithObject),
    ("Overview.devices", WithObject),
    ("Overview.messagesToday", WithObject),
    ("Member.user", WithObject),
    ("Membership.tenant", WithObject),
    ("Plan.limits", WithObject),
    ("AccessGrant.tenant", WithObject),
    ("Platform.accessGrants", Operator),
    ("Platform.auditLog", Operator),
    ("Platform.tenants", Operator),
    ("Platform.tenant", Operator),
    ("Platform.settings", Operator),
    ("Platform.plans", Operator),
    ("PlatformSettings.rateLimits", WithObject),
    ("Tenant.plan", WithObject),
    ("Tenant.limitOverrides", Needs(P::ManageTenant)),
    ("Tenant.limits", WithObject),
    ("Tenant.usage", WithObject),
    ("Viewer.accessGrant", WithObject),
    ("Viewer.user", WithObject),
    ("Viewer.apiToken", WithObject),
    ("Viewer.tenant", WithObject),
    ("Viewer.limits", WithObject),
    ("Viewer.secondFactor", WithObject),
    ("Viewer.memberships", WithObject),
];

/// Every kind of object that an id may name, and who may look at one with `node`, besides having READ. World::make in
/// `objects.rs` says how one is made.
pub const KINDS: &[(&str, Rule)] = &[
    ("Device", Needs(P::Read)),
    ("Chat", Needs(P::Read)),
    ("Message", Needs(P::Read)),
    ("Tenant", Needs(P::Read)),
    ("User", Needs(P::Read)),
    ("Member", Needs(P::ReadMembers)),
    ("Invitation", Needs(P::ManageMembers)),
    ("ApiToken", Needs(P::ManageApiTokens)),
    ("AuditEntry", Needs(P::ReadAuditLog)),
    // No nodes.
    ("AccessGrant", Operator),
    ("Plan", Operator),
    ("Session", Person),
];

/// Arguments of type ID whose name does not say what they are of, and fields whose `id` is not of what they are called after.
const CALLED: &[(&str, &str)] = &[
    ("actor", "User"),
    ("object", "Device"),
    ("grant", "AccessGrant"),
    ("revokeTenantAccess", "AccessGrant"),
];

/// Root fields that end the session they are called with: only who has none calls them, and the owner as the last thing.
pub const ENDS_SESSION: &[&str] = &["logout"];

/// What the world of the sweep cannot give to calls that are allowed: `(field, codes)`.
pub const EXCUSED: &[(&str, &[&str])] = &[
    ("login", &["INVALID_CREDENTIALS"]),
    ("refreshSession", &["SESSION_EXPIRED"]),
    // A link is a secret, which cannot be generated.
    ("acceptInvitation", &["NOT_FOUND"]),
    (
        "completeLogin",
        &["INVALID_CREDENTIALS", "SESSION_EXPIRED", "RATE_LIMITED"],
    ),
    ("requestPasswordReset", &["RATE_LIMITED"]),
    ("resetPassword", &["NOT_FOUND", "RATE_LIMITED"]),
    // Of an address that is generated, too.
    ("createPasswordResetLink", &["NOT_FOUND"]),
    // Nor can a password or a code.
    ("changePassword", &["INVALID_CREDENTIALS"]),
    ("enrollSecondFactor", &["INVALID_CREDENTIALS"]),
    (
        "confirmSecondFactor",
        &["INVALID_INPUT", "INVALID_CREDENTIALS", "NOT_FOUND"],
    ),
    ("renewRecoveryCodes", &["INVALID_CREDENTIALS", "NOT_FOUND"]),
    ("disableSecondFactor", &["INVALID_CREDENTIALS", "NOT_FOUND"]),
    // It wants the tenant's short name written out.
    ("deleteTenant", &["INVALID_INPUT"]),
    // No sandbox network runs here.
    ("sandboxUpdated", &["BAD_REQUEST"]),
];

/// Root fields that are no way to another object: what they answer depends on more than their arguments.
pub fn is_no_way(field: &str) -> bool {
    [
        "delete", "remove", "revoke", "logout", "wipe", "login", "refresh", "accept", "sandbox",
    ]
    .iter()
    .any(|verb| field.starts_with(verb))
}

/// Fields of inputs that are given though they may be left out: without them the answer has nothing to lead on to.
pub fn is_given(coordinate: &str) -> bool {
    ["SendMessageInput.mentions"].contains(&coordinate)
}

/// A valid value of a scalar or an enum; `None` takes an enum's first.
pub fn value_of(target: &str, name: &str) -> Option<Value> {
    let name = name.to_lowercase();
    let says = |word: &str| name.contains(word);
    Some(match target {
        "String" if says("email") => json!(format!("{}@kabar.test", api::clock::new_id::<entity::UserId>())),
        "String" if says("password") => json!("generated horse battery staple 9"),
        "String" if says("phone") || says("number") || name == "from" || name == "owner" || says("participants") => {
            json!("+6281200000077")
        }
        "String" if says("zone") => json!("Asia/Jakarta"),
        "String" if says("country") => json!("ID"),
        "String" if says("language") => json!("id"),
        "String" if says("url") => json!("https://example.com/hook"),
        "String" | "Text" => json!(format!("Generated {}", api::clock::new_id::<entity::UserId>())),
        "PhoneNumber" => json!("+6281200000077"),
        "Jid" => json!("6281200000077@s.whatsapp.net"),
        "Int" | "BigInt" => json!(10),
        "Float" => json!(1.5),
        "Boolean" => json!(true),
        "JSON" => json!({}),
        "Cursor" => json!("MA"),
        "DateTime" => json!("2030-01-01T00:00:00Z"),
        // OWNER, the first, wants more than managing members.
        "Role" => json!("AGENT"),
        _ => return None,
    })
}

/// The kind that an unusual name stands for.
pub fn kind_called(name: &str) -> Option<&'static str> {
    let found = CALLED.iter().find(|(called, _)| *called == name);
    found
        .map(|(_, kind)| *kind)
        .or_else(|| KINDS.iter().find(|(kind, _)| *kind == name).map(|(kind, _)| *kind))
}

/// The rule of a field, `None` when nobody has decided.
pub fn rule(coordinate: &str) -> Option<Rule> {
    if let Some(kind) = coordinate.strip_prefix("Query.node(") {
        let kind = kind.trim_end_matches(')');
        return KINDS.iter().find(|(name, _)| *name == kind).map(|(_, rule)| *rule);
    }
    let line = |wanted: &str| FIELDS.iter().find(|(name, _)| *name == wanted).map(|(_, rule)| *rule);
    let (of, field) = coordinate.split_once('.')?;
    line(coordinate).or_else(|| {
        if ROOTS.contains(&of) {
            None
        } else {
            line(&format!("*.{field}"))
        }
    })
}

/// Whether a value of an object asks for more than the object.
pub fn asks_for_more(coordinate: &str) -> bool {
    FIELDS.iter().any(|(line, _)| *line == coordinate)
}

/// Every field of the schema has a rule, and every rule a field.
pub fn check(contract: &Contract) -> Result<()> {
    let mut coordinates: Vec<String> = Vec::new();
    for root in ROOTS {
        coordinates.extend(
            contract
                .fields(root)
                .iter()
                .map(|field| format!("{root}.{}", field.name)),
        );
    }
    coordinates.extend(
        contract
            .relations()
            .iter()
            .map(|(of, field)| format!("{of}.{}", field.name)),
    );
    let undecided: Vec<&String> = coordinates
        .iter()
        .filter(|coordinate| rule(coordinate).is_none())
        .collect();
    ensure!(
        undecided.is_empty(),
        "who may ask for {undecided:?}? Add a line for each to FIELDS in tests/api/sweep/expectations.rs"
    );
    let nodes = contract.nodes();
    let unknown: Vec<&String> = nodes
        .iter()
        .filter(|node| !KINDS.iter().any(|(kind, _)| kind == node))
        .collect();
    ensure!(
        unknown.is_empty(),
        "who may look at {unknown:?}? Add a line for each to KINDS in tests/api/sweep/expectations.rs, and how one is \
         made to World::make in tests/api/sweep/objects.rs"
    );
    let field_of = |line: &str| {
        line.split_once('.')
            .map(|(_, field)| field.to_owned())
            .unwrap_or_default()
    };
    let stale: Vec<&str> = FIELDS
        .iter()
        .map(|(line, _)| *line)
        .filter(|line| {
            !coordinates
                .iter()
                .any(|known| known == line || (line.starts_with("*.") && field_of(known) == field_of(line)))
        })
        .collect();
    ensure!(
        stale.is_empty(),
        "no such fields any more: {stale:?} in tests/api/sweep/expectations.rs"
    );
    Ok(())
}
