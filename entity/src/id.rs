//! Typed ids: a UUIDv7 in the database, a prefix and Crockford base32 in public (`dev_01jd…`).
//!
//! The public form sorts like the UUID, so like time. Letter case does not matter when it is read.

use std::{fmt, str::FromStr};

use sea_orm::{DbErr, DeriveValueType, TryFromU64, prelude::Uuid};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ENCODED_LENGTH: usize = 26;

/// The text is no public id of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a valid id")
    }
}

impl std::error::Error for InvalidId {}

/// Writes 128 bits as 26 characters of Crockford base32 (<https://www.crockford.com/base32.html>), lower case.
pub fn encode_base32(value: u128) -> String {
    (0..ENCODED_LENGTH)
        .rev()
        .map(|position| {
            let digit = (value >> (position * 5)) & 31;
            char::from(ALPHABET[usize::try_from(digit).unwrap_or(0)])
        })
        .collect()
}

/// Reads what [`encode_base32`] wrote.
pub fn decode_base32(text: &str) -> Result<u128, InvalidId> {
    if text.len() != ENCODED_LENGTH {
        return Err(InvalidId);
    }
    let mut value: u128 = 0;
    for (position, byte) in text.bytes().enumerate() {
        let byte = byte.to_ascii_lowercase();
        let digit = ALPHABET.iter().position(|letter| *letter == byte).ok_or(InvalidId)?;
        // 26 digits hold 130 bits: the first may only use its lowest three.
        if position == 0 && digit > 7 {
            return Err(InvalidId);
        }
        value = (value << 5) | digit as u128;
    }
    Ok(value)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, DeriveValueType)]
        pub struct $name(pub Uuid);

        impl $name {
            /// What the public form begins with.
            pub const PREFIX: &'static str = $prefix;
        }

        // SeaORM asks this of every primary key, for databases that number rows by themselves. These are never numbered.
        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl From<Uuid> for $name {
            fn from(value: Uuid) -> Self {
                Self(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", Self::PREFIX, encode_base32(self.0.as_u128()))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let encoded = text.strip_prefix(concat!($prefix, "_")).ok_or(InvalidId)?;
                decode_base32(encoded).map(|value| Self(Uuid::from_u128(value)))
            }
        }
    )*};
}

ids! {
    /// A customer of the platform: everything else belongs to one.
    TenantId = "ten";
    /// What tenants of a kind may use.
    PlanId = "pln";
    /// A person who logs in.
    UserId = "usr";
    /// A person's role in a tenant.
    MembershipId = "mem";
    /// One login of a person: the family of its refresh tokens.
    SessionId = "ses";
    /// One refresh token of a session.
    RefreshTokenId = "rft";
    /// A WhatsApp account linked as a companion.
    DeviceId = "dev";
    /// A conversation of a device with a person or a group.
    ChatId = "cht";
    /// A message, in or out.
    MessageId = "msg";
    /// What one participant of a group did with a message.
    ReceiptId = "rcp";
    /// A secret with which a program acts for a tenant.
    ApiTokenId = "tok";
    /// An open invitation into a tenant.
    InvitationId = "inv";
    /// An entry of the audit log.
    AuditEntryId = "aud";
    /// Two addresses of one person.
    AddressPairId = "adr";
    /// What lets an operator into a tenant for a while.
    AccessGrantId = "agr";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_form_is_read_back() {
        let id = DeviceId(Uuid::from_u128(0x0193_4c2b_7d1e_7000_8000_0123_4567_89ab));
        let text = id.to_string();
        assert!(text.starts_with("dev_"));
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.to_uppercase().replace("DEV_", "dev_").parse(), Ok(id));
    }

    #[test]
    fn other_kinds_and_garbage_are_refused() {
        let device = DeviceId(Uuid::from_u128(1)).to_string();
        assert_eq!(device.parse::<MessageId>(), Err(InvalidId));
        for text in [
            "",
            "dev_",
            "dev_zzzzzzzzzzzzzzzzzzzzzzzzzz",
            "dev_0000000000000000000000000u",
            "dev_00000",
        ] {
            assert_eq!(text.parse::<DeviceId>(), Err(InvalidId), "{text}");
        }
    }

    #[test]
    fn public_form_sorts_like_the_uuid() {
        let low = MessageId(Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0000));
        let high = MessageId(Uuid::from_u128(0x0193_0000_0001_7000_8000_0000_0000_0000));
        assert!(low.to_string() < high.to_string());
    }
}
