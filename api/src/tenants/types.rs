//! Parsed values of logins, and the state of a session.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    AccessGrantId, SessionId, TenantId, UserId, access_grant, membership::Role, session, tenant, user_account,
};

use crate::{config, graphql::UserError, secret::Secret};

/// An email address as it is stored: trimmed and in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads one. Only what can't be an address at all is refused: whether it exists, only a mail can tell.
    pub fn parse(text: &str) -> Option<Self> {
        let email = text.trim().to_lowercase();
        let (name, host) = email.rsplit_once('@')?;
        let sane = !name.is_empty()
            && !host.is_empty()
            && email.len() <= 254
            && !email
                .chars()
                .any(|letter| letter.is_whitespace() || letter.is_control());
        sane.then_some(Self(email))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What people call a tenant: 1–120 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantName(pub String);

impl TenantName {
    /// Checks and trims it.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        let name = text.trim();
        if (1..=120).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
            Ok(Self(name.to_owned()))
        } else {
            Err(UserError::invalid(
                "name",
                "A name has 1 to 120 characters in one line.",
            ))
        }
    }
}

/// A country as ISO 3166-1 alpha-2, in capitals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country(pub String);

impl Country {
    /// Reads one whose phone numbers are known.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        let code = text.trim().to_ascii_uppercase();
        match code.parse::<phonenumber::country::Id>() {
            Ok(_) if code.len() == 2 => Ok(Self(code)),
            _ => Err(UserError::invalid(
                "defaultCountry",
                "Write the country as two letters (ISO 3166-1), such as ID.",
            )),
        }
    }
}

/// Reads a language of the console.
pub fn parse_language(text: &str) -> Result<&'static str, UserError> {
    match text.trim() {
        "en" => Ok("en"),
        "id" => Ok("id"),
        _ => Err(UserError::invalid("defaultLanguage", "The languages are en and id.")),
    }
}

/// Reads the IANA name of a time zone.
pub fn parse_time_zone(text: &str) -> Result<chrono_tz::Tz, UserError> {
    text.trim().parse().map_err(|_| {
        UserError::invalid(
            "timeZone",
            "Write the time zone by its IANA name, such as Asia/Jakarta.",
        )
    })
}

/// Where the right password leads.
pub enum Entrance {
    /// In.
    Session(Box<Session>),
    /// To the question for a code.
    Challenge(super::second_factor::Challenge),
}

/// What a login or a refresh gives.
pub struct Session {
    /// Signed, short-lived.
    pub access_token: Secret,
    /// When the access token ends.
    pub expires_at: DateTime<Utc>,
    /// Used once, for the next pair.
    pub refresh_token: super::token::RefreshToken,
    /// When the session ends if it is not used again.
    pub refresh_expires_at: DateTime<Utc>,
    /// Who it is.
    pub identity: Identity,
}

/// A person in a tenant.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The person.
    pub user: user_account::Model,
    /// The tenant that the session acts in.
    pub tenant: tenant::Model,
    /// The person's role there.
    pub role: Role,
    /// What lets an operator in who does not belong there.
    pub grant: Option<Box<access_grant::Model>>,
}

/// What the database says about the owner of an access token.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Whose session it is.
    pub user_id: UserId,
    /// The person's email address.
    pub email: Arc<str>,
    /// When the session ends.
    pub session_expires_at: DateTime<Utc>,
    /// When it was ended.
    pub session_ended_at: Option<DateTime<Utc>>,
    /// Tokens from before are refused.
    pub password_changed_at: DateTime<Utc>,
    /// Whether the person runs the platform.
    pub operator: bool,
    /// The role in the token's tenant.
    pub role: Role,
    /// What lets an operator into that tenant who does not belong to it.
    pub grant: Option<Grant>,
}

/// An operator's access to a tenant of others, as far as requests care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Which.
    pub id: AccessGrantId,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl Grant {
    /// Whether it still lets anybody in. No grant does not end.
    pub fn holds(grant: Option<Self>, now: DateTime<Utc>) -> bool {
        grant.is_none_or(|grant| now < grant.expires_at)
    }
}

/// A session and the tenant it is asked for.
pub type StandingKey = (SessionId, TenantId);

/// Whether a session may go on.
pub fn is_alive(session: &session::Model, now: DateTime<Utc>) -> bool {
    session.ended_at.is_none() && session.expires_at > now
}

/// When a session that is used now ends.
pub fn session_end(created_at: DateTime<Utc>, now: DateTime<Utc>, config: config::Sessions) -> DateTime<Utc> {
    let idle = TimeDelta::from_std(config.idle).unwrap_or(TimeDelta::days(14));
    let max = TimeDelta::from_std(config.max).unwrap_or(TimeDelta::days(90));
    (now + idle).min(created_at + max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_addresses_are_normalised_and_nonsense_is_refused() {
        assert_eq!(
            Email::parse(" Budi@Example.COM ").map(|email| email.0),
            Some("budi@example.com".to_owned())
        );
        for text in ["", "budi", "@x", "budi@", "bu di@x", &format!("{}@x", "a".repeat(260))] {
            assert!(Email::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn settings_of_a_tenant_are_checked() {
        assert_eq!(Country::parse(" id ").ok(), Some(Country("ID".to_owned())));
        for text in ["", "XX", "IDN", "62"] {
            assert!(Country::parse(text).is_err(), "{text}");
        }
        assert!(parse_time_zone("Asia/Jakarta").is_ok() && parse_time_zone("Jakarta").is_err());
        assert!(parse_language("id").is_ok() && parse_language("de").is_err());
        assert!(TenantName::parse("  ").is_err() && TenantName::parse("a\nb").is_err());
        assert_eq!(TenantName::parse(" Toko ").ok(), Some(TenantName("Toko".to_owned())));
    }

    #[test]
    fn a_session_ends_when_idle_and_in_any_case() {
        let day = |day: i64| DateTime::from_timestamp(1_800_000_000 + day * 86_400, 0).expect("a moment");
        let config = config::Sessions {
            access_token: std::time::Duration::from_mins(10),
            idle: std::time::Duration::from_hours(14 * 24),
            max: std::time::Duration::from_hours(90 * 24),
            refresh_grace: std::time::Duration::ZERO,
        };
        assert_eq!(session_end(day(0), day(3), config), day(17));
        assert_eq!(session_end(day(0), day(80), config), day(90));
    }
}
