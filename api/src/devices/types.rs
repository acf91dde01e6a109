//! Parsed values of devices, and the state machine.

use entity::device::Status;

use crate::graphql::UserError;

/// What a person calls a device: 1–120 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceName(pub String);

impl DeviceName {
    /// Trims and checks a name.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        let name = text.trim();
        match name.chars().count() {
            1..=120 if !name.chars().any(char::is_control) => Ok(Self(name.to_owned())),
            _ => Err(UserError::invalid(
                "name",
                "A name has 1 to 120 characters, without line breaks.",
            )),
        }
    }
}

/// The tenant's own key for a device: 3–50 of `A-Za-z0-9_-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKey(pub String);

impl DeviceKey {
    /// Checks a key.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        let allowed = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if allowed && (3..=50).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UserError::invalid(
                "key",
                "A key has 3 to 50 letters (A–Z, a–z), digits, underscores or hyphens.",
            ))
        }
    }
}

/// Free text about a device: at most 1,000 characters. Empty text is none.
pub fn parse_remark(text: Option<&str>) -> Result<Option<String>, UserError> {
    let remark = text.map(str::trim).filter(|remark| !remark.is_empty());
    if remark.is_some_and(|remark| remark.chars().count() > 1000) {
        return Err(UserError::invalid("remark", "A remark has at most 1,000 characters."));
    }
    Ok(remark.map(str::to_owned))
}

/// At most 20 tags of 1–40 characters; doubles are dropped.
pub fn parse_tags(tags: &[String]) -> Result<Vec<String>, UserError> {
    let mut parsed: Vec<String> = Vec::new();
    for tag in tags {
        let tag = tag.trim();
        if !(1..=40).contains(&tag.chars().count()) || tag.chars().any(char::is_control) {
            return Err(UserError::invalid("tags", "A tag has 1 to 40 characters."));
        }
        if !parsed.iter().any(|known| known == tag) {
            parsed.push(tag.to_owned());
        }
    }
    if parsed.len() > 20 {
        return Err(UserError::invalid("tags", "A device has at most 20 tags."));
    }
    Ok(parsed)
}

/// A change of state, as the engine's news means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A connection attempt began.
    Connecting,
    /// A code can be scanned or typed.
    CodeReady,
    /// The phone accepted.
    Paired,
    /// Logged in.
    Connected,
    /// The socket is up but nothing flows.
    Degraded,
    /// It flows again.
    Recovered,
    /// The connection is gone; the link stays.
    Disconnected,
    /// The link is gone.
    LoggedOut,
    /// WhatsApp has banned the account.
    Banned,
    /// Nothing more is tried without somebody's help.
    Failed,
}

/// The state that follows, or none where the news is old or means nothing in this state.
pub fn next(status: Status, change: Change) -> Option<Status> {
    let following = match change {
        // While a code is shown, reconnects of the pairing socket are not worth telling.
        Change::Connecting if matches!(status, Status::QrReady | Status::Pairing) => status,
        Change::Connecting => Status::Connecting,
        Change::CodeReady => Status::QrReady,
        Change::Paired => Status::Pairing,
        Change::Connected => Status::Connected,
        Change::Degraded if status == Status::Connected => Status::Degraded,
        Change::Recovered if status == Status::Degraded => Status::Connected,
        Change::Degraded | Change::Recovered => status,
        // What ended for good is not turned into a passing state by a socket that closes afterwards.
        Change::Disconnected if matches!(status, Status::LoggedOut | Status::Banned | Status::Failed) => status,
        // The pairing socket closes between the scan and the first login.
        Change::Disconnected if status == Status::Pairing => status,
        Change::Disconnected => Status::Disconnected,
        Change::LoggedOut => Status::LoggedOut,
        Change::Banned => Status::Banned,
        Change::Failed => Status::Failed,
    };
    (following != status).then_some(following)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_names_are_checked() {
        for key in ["abc", "a_B-9", &"x".repeat(50)] {
            assert!(DeviceKey::parse(key).is_ok(), "{key}");
        }
        for key in ["", "ab", "a b c", "käse", &"x".repeat(51)] {
            assert!(DeviceKey::parse(key).is_err(), "{key}");
        }
        assert_eq!(DeviceName::parse("  Shop  ").ok(), Some(DeviceName("Shop".into())));
        assert!(DeviceName::parse("   ").is_err());
        assert!(DeviceName::parse("a\nb").is_err());
    }

    #[test]
    fn tags_are_trimmed_and_unique() {
        let tags = ["a ".into(), "a".into(), "b".into()];
        assert_eq!(parse_tags(&tags).ok(), Some(vec!["a".into(), "b".into()]));
        assert!(parse_tags(&[String::new()]).is_err());
    }

    #[test]
    fn a_closing_socket_does_not_undo_an_end() {
        for status in [Status::LoggedOut, Status::Banned, Status::Failed] {
            assert_eq!(next(status, Change::Disconnected), None);
        }
        assert_eq!(
            next(Status::Connected, Change::Disconnected),
            Some(Status::Disconnected)
        );
        assert_eq!(next(Status::Pairing, Change::Disconnected), None);
        assert_eq!(next(Status::Pairing, Change::Connected), Some(Status::Connected));
    }

    #[test]
    fn only_a_connected_device_degrades() {
        assert_eq!(next(Status::Connected, Change::Degraded), Some(Status::Degraded));
        assert_eq!(next(Status::Degraded, Change::Recovered), Some(Status::Connected));
        assert_eq!(next(Status::Disconnected, Change::Degraded), None);
    }
}
