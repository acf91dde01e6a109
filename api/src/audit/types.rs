//! Who acts, what can be done, and what an entry keeps of it.

use std::{fmt::Display, sync::Arc};

use async_graphql::Enum;
use entity::audit_entry::ActorKind;
use serde_json::{Map, Value};

use crate::graphql::context::Origin;

/// Who does something, and from where.
#[derive(Clone, Debug)]
pub struct Actor {
    /// A person, a token, the server.
    pub kind: ActorKind,
    /// The public id of the person or token.
    pub id: Option<Arc<str>>,
    /// The person's email address, the token's name.
    pub name: Option<Arc<str>>,
    /// Where the request came from.
    pub origin: Origin,
    /// The public id of the grant that lets an operator act in a tenant of others.
    pub grant: Option<Arc<str>>,
}

impl Actor {
    /// Somebody with an id and a name.
    pub fn new(kind: ActorKind, id: &impl Display, name: &str, origin: Origin) -> Self {
        Self {
            kind,
            id: Some(id.to_string().into()),
            name: Some(name.into()),
            origin,
            grant: None,
        }
    }

    /// The same, as an operator who is let in by a grant.
    pub fn under(mut self, grant: &impl Display) -> Self {
        self.kind = ActorKind::Operator;
        self.grant = Some(grant.to_string().into());
        self
    }

    /// The server itself, by a schedule or from its own command line.
    pub fn system() -> Self {
        Self {
            kind: ActorKind::System,
            id: None,
            name: None,
            origin: Origin::default(),
            grant: None,
        }
    }

    /// Somebody who has not shown who it is.
    pub fn stranger(origin: Origin) -> Self {
        Self {
            kind: ActorKind::Stranger,
            id: None,
            name: None,
            origin,
            grant: None,
        }
    }
}

/// Implemented by whatever stands for somebody who acts.
pub trait Acts {
    /// Who it is.
    fn actor(&self) -> &Actor;
}

impl Acts for Actor {
    fn actor(&self) -> &Actor {
        self
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What was done. Further ones will come.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        #[graphql(name = "AuditAction")]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As it is stored.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

actions! {
    /// Somebody logged in. The object is the session.
    LoggedIn = "logged_in";
    /// A login failed: a wrong password, or an account that is not known. The object is the account, when there is one.
    LoginFailed = "login_failed";
    /// A session was ended by its owner, or all of them. The object is the session, or the person.
    LoggedOut = "logged_out";
    /// A refresh token came again after it was used: somebody has a copy. Its session was ended.
    RefreshTokenReused = "refresh_token_reused";
    /// A person chose a new password; every other session ended.
    PasswordChanged = "password_changed";
    /// A person turned the second factor on: logins ask for a code. The object is the person.
    SecondFactorEnabled = "second_factor_enabled";
    /// A person turned the second factor off.
    SecondFactorDisabled = "second_factor_disabled";
    /// The second factor was turned off from the server's own machine.
    SecondFactorReset = "second_factor_reset";
    /// A person made new recovery codes; the old ones ended.
    RecoveryCodesRenewed = "recovery_codes_renewed";
    /// A recovery code was used in place of the app.
    RecoveryCodeUsed = "recovery_code_used";
    /// A link for a new password was mailed to a person who asked for it. The object is the person.
    PasswordResetRequested = "password_reset_requested";
    /// An operator made a link for a person's new password.
    PasswordResetLinkCreated = "password_reset_link_created";
    /// A person set a new password by a link; every session ended.
    PasswordReset = "password_reset";
    /// A session was ended from another one of the same person.
    SessionEnded = "session_ended";
    /// Somebody was invited.
    MemberInvited = "member_invited";
    /// An invitation got a new link.
    InvitationRenewed = "invitation_renewed";
    /// An invitation was taken back.
    InvitationRevoked = "invitation_revoked";
    /// Somebody came in.
    InvitationAccepted = "invitation_accepted";
    /// A member's role changed.
    MemberUpdated = "member_updated";
    /// A member was removed, or left.
    MemberRemoved = "member_removed";
    /// A session went over to this tenant.
    TenantEntered = "tenant_entered";
    /// A device was made.
    DeviceCreated = "device_created";
    /// A device's name, key, remark or tags changed.
    DeviceUpdated = "device_updated";
    /// A device was told to connect, or to show codes for linking.
    DeviceConnected = "device_connected";
    /// A code was asked for that links a device without a camera.
    DevicePairingCodeRequested = "device_pairing_code_requested";
    /// A phone linked the device.
    DeviceLinked = "device_linked";
    /// A device was told to close its connection.
    DeviceDisconnected = "device_disconnected";
    /// A device was told to connect anew.
    DeviceRestarted = "device_restarted";
    /// A device's link was removed at WhatsApp.
    DeviceLoggedOut = "device_logged_out";
    /// A device's credentials were deleted.
    DeviceWiped = "device_wiped";
    /// A device was deleted with its chats and messages.
    DeviceDeleted = "device_deleted";
    /// The tenant's name, country, language or time zone was changed by one of its own.
    TenantSettingsUpdated = "tenant_settings_updated";
    /// An operator made the tenant.
    TenantCreated = "tenant_created";
    /// An operator changed the tenant's settings, short name, plan or limits.
    TenantUpdated = "tenant_updated";
    /// An operator suspended the tenant.
    TenantSuspended = "tenant_suspended";
    /// An operator lifted the tenant's suspension.
    TenantActivated = "tenant_activated";
    /// An operator began to delete the tenant. Told in the platform's own log.
    TenantDeletionBegun = "tenant_deletion_begun";
    /// Nothing of the tenant is left. Told in the platform's own log.
    TenantDeleted = "tenant_deleted";
    /// Everything the tenant owns was exported, by an owner or by an operator who was let in.
    TenantExported = "tenant_exported";
    /// An operator was let into the tenant for a while.
    TenantAccessGranted = "tenant_access_granted";
    /// An operator's access to the tenant was ended before its time.
    TenantAccessRevoked = "tenant_access_revoked";
    /// A person who runs the platform was made, from the server's command line or at its first start. Told in the
    /// platform's own log.
    OperatorCreated = "operator_created";
    /// A plan was made. Told in the platform's own log.
    PlanCreated = "plan_created";
    /// A plan changed. Told in the platform's own log.
    PlanUpdated = "plan_updated";
    /// A plan was deleted. Told in the platform's own log.
    PlanDeleted = "plan_deleted";
    /// Access tokens are signed by a new key. Told in the platform's own log.
    SigningKeyRotated = "signing_key_rotated";
    /// Everything that is stored encrypted is under a new key. Told in the platform's own log.
    EncryptionKeyRotated = "encryption_key_rotated";
    /// The platform's settings changed. Told in the platform's own log.
    PlatformSettingsUpdated = "platform_settings_updated";
    /// An API token was made.
    ApiTokenCreated = "api_token_created";
    /// What an API token may do changed.
    ApiTokenUpdated = "api_token_updated";
    /// An API token was ended.
    ApiTokenRevoked = "api_token_revoked";
    /// This log was exported.
    AuditLogExported = "audit_log_exported";
    /// Something that this version of Kabar does not know.
    Other = "other";
}

impl Action {
    /// Reads what was stored.
    pub fn read(text: &str) -> Self {
        let known = Self::ALL.iter().find(|action| action.as_str() == text);
        known.copied().unwrap_or(Self::Other)
    }
}

/// What is told about an action.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) action: Action,
    pub(super) object_id: Option<String>,
    pub(super) object_name: Option<String>,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

impl Entry {
    /// An action on an object.
    pub fn of(action: Action, object: &impl Display) -> Self {
        Self {
            object_id: Some(object.to_string()),
            ..Self::without_object(action)
        }
    }

    /// An action on nothing that has an id.
    pub fn without_object(action: Action) -> Self {
        Self {
            action,
            object_id: None,
            object_name: None,
            before: None,
            after: None,
        }
    }

    /// How people call the object.
    pub fn named(mut self, name: &str) -> Self {
        self.object_name = Some(name.chars().take(255).collect());
        self
    }

    /// The settings before and after: objects with the same keys, of which those that differ are kept.
    pub fn changed(mut self, before: Value, after: Value) -> Self {
        let (before, after) = match (before, after) {
            (Value::Object(before), Value::Object(after)) => {
                let differs = |key: &String| before.get(key) != after.get(key);
                let keep = |map: &Map<String, Value>| {
                    let kept = map.iter().filter(|(key, _)| differs(key));
                    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
                };
                (keep(&before), keep(&after))
            }
            other => other,
        };
        self.before = Some(blanked(before));
        self.after = Some(blanked(after));
        self
    }

    /// What was chosen, where there was nothing before.
    pub fn with(mut self, details: Value) -> Self {
        self.after = Some(blanked(details));
        self
    }
}

/// Parts of names whose values are never kept, whoever puts them in by mistake.
const SECRETS: [&str; 6] = ["password", "secret", "token", "totp", "body", "code"];

fn blanked(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map.into_iter().map(|(key, value)| {
                let lower = key.to_lowercase();
                let is_secret = value.is_string() && SECRETS.iter().any(|part| lower.contains(part));
                let value = if is_secret { "…".into() } else { blanked(value) };
                (key, value)
            });
            Value::Object(entries.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(blanked).collect()),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stored_actions_are_read_back_and_unknown_ones_are_other() {
        for action in Action::ALL {
            assert_eq!(Action::read(action.as_str()), *action);
            assert!(action.as_str().len() <= 64);
        }
        assert_eq!(Action::read("from_the_future"), Action::Other);
    }

    #[test]
    fn only_what_changed_is_kept() {
        let entry = Entry::of(Action::DeviceUpdated, &"dev_1").changed(
            json!({ "name": "Support", "tags": ["a"], "key": null }),
            json!({ "name": "Sales", "tags": ["a"], "key": null }),
        );
        assert_eq!(entry.before, Some(json!({ "name": "Support" })));
        assert_eq!(entry.after, Some(json!({ "name": "Sales" })));
    }

    #[test]
    fn secrets_are_blanked_at_any_depth() {
        let entry = Entry::without_object(Action::Other).with(json!({
            "proxy": { "host": "a", "password": "hunter2" }, "list": [{ "apiToken": "x" }], "secretSet": true
        }));
        assert_eq!(
            entry.after,
            Some(json!({
                "proxy": { "host": "a", "password": "…" }, "list": [{ "apiToken": "…" }], "secretSet": true
            }))
        );
    }
}
