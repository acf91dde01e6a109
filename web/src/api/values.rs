//! Scalars and the shapes that every domain shares.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::schema;

/// A place in the event log.
#[derive(cynic::Scalar, Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// The address of an account or group inside WhatsApp.
#[derive(cynic::Scalar, Clone, Debug, PartialEq, Eq)]
pub struct Jid(pub String);

/// A number with its country code: `+6281…`.
#[derive(cynic::Scalar, Clone, Debug, PartialEq, Eq, Hash)]
pub struct PhoneNumber(pub String);

/// A whole number that may need more than 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BigInt(pub i64);

cynic::impl_scalar!(BigInt, schema::BigInt);

/// Whatever the server says, of any shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Json(pub serde_json::Value);

cynic::impl_scalar!(Json, schema::JSON);

/// A moment: milliseconds since 1970, as the browser counts.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct At(pub f64);

cynic::impl_scalar!(At, schema::DateTime);

impl At {
    pub fn now() -> Self {
        Self(js_sys::Date::now())
    }

    /// Milliseconds from now until then; negative when it has passed.
    pub fn in_ms(self) -> f64 {
        self.0 - js_sys::Date::now()
    }
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = js_sys::Date::new(&self.0.into()).to_iso_string().into();
        text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = js_sys::Date::parse(&text);
        if at.is_nan() {
            Err(serde::de::Error::custom("not a date"))
        } else {
            Ok(Self(at))
        }
    }
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "PageInfo")]
pub struct Forward {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "PageInfo")]
pub struct Backward {
    pub has_previous_page: bool,
    pub start_cursor: Option<String>,
}

/// An expected refusal, told in the payload.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct UserError {
    pub code: ErrorCode,
    pub message: String,
    pub field: Option<Vec<String>>,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(non_exhaustive)]
pub enum ErrorCode {
    InvalidInput,
    InvalidPhoneNumber,
    NotFound,
    AlreadyExists,
    Conflict,
    Forbidden,
    InvalidCredentials,
    SecondFactorRequired,
    InvalidCode,
    SessionExpired,
    NotConnected,
    NotLinked,
    AlreadyLinked,
    NotOnWhatsapp,
    RecipientBlocked,
    TimedOut,
    QuotaExceeded,
    RateLimited,
    Sandbox,
    #[cynic(fallback)]
    Other,
}
