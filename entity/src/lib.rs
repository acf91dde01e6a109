//! Kabar's tables, one file each, and the typed ids of their rows.
//!
//! Owns the shape of the rows and nothing else: no query and no decision is written here. The migrations are the
//! authority on columns and indexes; a test compares both.
//!
//! **Invariant:** every table that belongs to a tenant implements [`TenantOwned`], every table that belongs to a device's
//! engine implements [`DeviceOwned`]. The store only reads tables through these.

pub mod access_grant;
pub mod address_pair;
pub mod api_token;
pub mod audit_entry;
pub mod chat;
pub mod device;
pub mod engine_record;
pub mod event;
pub mod event_sequence;
pub mod id;
pub mod invitation;
pub mod membership;
pub mod message;
pub mod message_queue;
pub mod password_reset;
pub mod plan;
pub mod platform_settings;
pub mod quota_usage;
pub mod rate_window;
pub mod receipt;
pub mod recovery_code;
pub mod refresh_token;
pub mod second_factor;
pub mod server_key;
pub mod session;
pub mod tables;
pub mod tenant;
pub mod user_account;

pub use id::{
    AccessGrantId, AddressPairId, ApiTokenId, AuditEntryId, ChatId, DeviceId, InvitationId, MembershipId, MessageId,
    PlanId, ReceiptId, RefreshTokenId, SessionId, TenantId, UserId,
};

pub use id::encode_base32;

use sea_orm::EntityTrait;

/// Implemented by every table whose rows belong to one tenant.
pub trait TenantOwned: EntityTrait {
    /// The column that names the tenant.
    const TENANT: Self::Column;
    /// The column that names the row.
    const ID: Self::Column;
    /// The column that names the device a row belongs to: a caller who may see some devices only sees their rows only.
    /// `None` when the rows belong to no device, or are only reached through rows that do.
    const DEVICE: Option<Self::Column>;
}

/// Implemented by logs whose rows belong to one tenant and are only ever added. They are not [`TenantOwned`], so that the
/// store has no call that changes or deletes a row of theirs.
pub trait AppendOnly: EntityTrait {
    /// The column that names the tenant.
    const TENANT: Self::Column;
    /// The column that names the row.
    const ID: Self::Column;
}

/// Implemented by the tables in which the engine keeps what a linked device needs.
pub trait DeviceOwned: EntityTrait {
    /// The column that names the device.
    const DEVICE: Self::Column;
}
