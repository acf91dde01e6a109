//! Who did what in the tenant.

use cynic::{Id, QueryBuilder};

use super::{
    client,
    error::ApiError,
    schema,
    values::{At, Forward, Json},
};

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct AuditEntry {
    pub id: Id,
    pub at: At,
    pub actor: AuditActor,
    pub action: AuditAction,
    pub object_id: Option<Id>,
    pub object_name: Option<String>,
    pub before: Option<Json>,
    pub after: Option<Json>,
    pub grant_id: Option<Id>,
    pub tenant_id: Option<Id>,
    /// Told to operators only.
    pub tenant_name: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct AuditActor {
    pub kind: AuditActorKind,
    pub id: Option<Id>,
    pub name: Option<String>,
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum AuditActorKind {
    User,
    ApiToken,
    Operator,
    Stranger,
    System,
    #[cynic(fallback)]
    Other,
}

/// Declares the actions with their names in the API, in the order in which people look for them.
macro_rules! actions {
    ($($action:ident = $name:literal),* $(,)?) => {
        #[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
        #[cynic(non_exhaustive)]
        pub enum AuditAction {
            $($action,)*
            #[cynic(fallback)]
            Other,
        }

        impl AuditAction {
            pub const ALL: &'static [Self] = &[$(Self::$action),*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$action => $name,)*
                    Self::Other => "OTHER",
                }
            }

            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.name() == name)
            }
        }
    };
}

actions! {
    LoggedIn = "LOGGED_IN",
    LoginFailed = "LOGIN_FAILED",
    LoggedOut = "LOGGED_OUT",
    RefreshTokenReused = "REFRESH_TOKEN_REUSED",
    PasswordChanged = "PASSWORD_CHANGED",
    SecondFactorEnabled = "SECOND_FACTOR_ENABLED",
    SecondFactorDisabled = "SECOND_FACTOR_DISABLED",
    SecondFactorReset = "SECOND_FACTOR_RESET",
    RecoveryCodesRenewed = "RECOVERY_CODES_RENEWED",
    RecoveryCodeUsed = "RECOVERY_CODE_USED",
    PasswordResetRequested = "PASSWORD_RESET_REQUESTED",
    PasswordResetLinkCreated = "PASSWORD_RESET_LINK_CREATED",
    PasswordReset = "PASSWORD_RESET",
    SessionEnded = "SESSION_ENDED",
    MemberInvited = "MEMBER_INVITED",
    InvitationRenewed = "INVITATION_RENEWED",
    InvitationRevoked = "INVITATION_REVOKED",
    InvitationAccepted = "INVITATION_ACCEPTED",
    MemberUpdated = "MEMBER_UPDATED",
    MemberRemoved = "MEMBER_REMOVED",
    TenantEntered = "TENANT_ENTERED",
    ApiTokenCreated = "API_TOKEN_CREATED",
    ApiTokenUpdated = "API_TOKEN_UPDATED",
    ApiTokenRevoked = "API_TOKEN_REVOKED",
    DeviceCreated = "DEVICE_CREATED",
    DeviceUpdated = "DEVICE_UPDATED",
    DeviceConnected = "DEVICE_CONNECTED",
    DevicePairingCodeRequested = "DEVICE_PAIRING_CODE_REQUESTED",
    DeviceLinked = "DEVICE_LINKED",
    DeviceDisconnected = "DEVICE_DISCONNECTED",
    DeviceRestarted = "DEVICE_RESTARTED",
    DeviceLoggedOut = "DEVICE_LOGGED_OUT",
    DeviceWiped = "DEVICE_WIPED",
    DeviceDeleted = "DEVICE_DELETED",
    TenantSettingsUpdated = "TENANT_SETTINGS_UPDATED",
    TenantCreated = "TENANT_CREATED",
    TenantUpdated = "TENANT_UPDATED",
    TenantSuspended = "TENANT_SUSPENDED",
    TenantActivated = "TENANT_ACTIVATED",
    TenantDeletionBegun = "TENANT_DELETION_BEGUN",
    TenantDeleted = "TENANT_DELETED",
    TenantExported = "TENANT_EXPORTED",
    TenantAccessGranted = "TENANT_ACCESS_GRANTED",
    TenantAccessRevoked = "TENANT_ACCESS_REVOKED",
    PlanCreated = "PLAN_CREATED",
    PlanUpdated = "PLAN_UPDATED",
    PlanDeleted = "PLAN_DELETED",
    PlatformSettingsUpdated = "PLATFORM_SETTINGS_UPDATED",
    AuditLogExported = "AUDIT_LOG_EXPORTED",
    OperatorCreated = "OPERATOR_CREATED",
    EncryptionKeyRotated = "ENCRYPTION_KEY_ROTATED",
    SigningKeyRotated = "SIGNING_KEY_ROTATED",
}

#[derive(cynic::InputObject, Clone, Debug, Default, PartialEq)]
pub struct AuditFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub action: Option<Vec<AuditAction>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub at: Option<TimeRange>,
}

#[derive(cynic::InputObject, Clone, Debug, PartialEq)]
pub struct TimeRange {
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub from: Option<At>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub to: Option<At>,
}

#[derive(cynic::QueryVariables, Debug)]
struct AuditVariables {
    filter: AuditFilter,
    first: i32,
    after: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "AuditVariables")]
struct AuditLog {
    #[arguments(where: $filter, first: $first, after: $after)]
    audit_log: AuditPage,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "AuditEntryConnection")]
pub struct AuditPage {
    pub nodes: Vec<AuditEntry>,
    pub page_info: Forward,
}

pub async fn list(filter: AuditFilter, first: i32, after: Option<String>) -> Result<AuditPage, ApiError> {
    let variables = AuditVariables { filter, first, after };
    Ok(client::run(AuditLog::build(variables)).await?.audit_log)
}
