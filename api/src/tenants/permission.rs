//! What each role may do: the one table.

use entity::membership::Role;

/// Something that a role allows or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// See devices, chats, messages and events.
    Read,
    /// Send messages, mark chats as read.
    Send,
    /// Create, link, change and delete devices.
    ManageDevices,
    /// See who did what in the tenant.
    ReadAuditLog,
    /// Change the tenant's name, country, language and time zone.
    ManageTenant,
}

impl Permission {
    /// Whether a role has this permission.
    pub const fn is_of(self, role: Role) -> bool {
        match self {
            Self::Read => true,
            Self::Send => matches!(role, Role::Owner | Role::Admin | Role::Agent),
            Self::ManageDevices | Self::ReadAuditLog | Self::ManageTenant => matches!(role, Role::Owner | Role::Admin),
        }
    }
}
