//! Parsed values of messages, and the order of their states.

use entity::message::Status;

use crate::{graphql::UserError, phone::E164};

/// The longest text that WhatsApp's clients send.
pub const LONGEST_TEXT: usize = 4096;

/// Whom a message goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// WhatsApp's address.
    pub jid: String,
    /// E.164, in direct chats by number.
    pub phone: Option<String>,
}

impl From<E164> for Recipient {
    fn from(number: E164) -> Self {
        Self {
            jid: format!("{}@s.whatsapp.net", number.digits()),
            phone: Some(number.text()),
        }
    }
}

impl Recipient {
    /// Whether it is a group.
    pub fn is_group(&self) -> bool {
        self.jid.ends_with("@g.us")
    }
}

/// Reads the WhatsApp address of a person or a group.
pub fn parse_jid(text: &str, path: &str) -> Result<Recipient, UserError> {
    let message = "Use an address such as 6281234567890@s.whatsapp.net, …@lid or …@g.us.";
    address(text).ok_or_else(|| UserError::invalid(path, message))
}

/// Reads the WhatsApp address of a person.
pub fn parse_person(text: &str, path: &str) -> Result<Recipient, UserError> {
    let message = "Use a person's address, such as 6281234567890@s.whatsapp.net or …@lid.";
    let person = address(text).filter(|found| !found.is_group());
    person.ok_or_else(|| UserError::invalid(path, message))
}

fn address(text: &str) -> Option<Recipient> {
    let (user, server) = text.trim().split_once('@')?;
    let digits = |text: &str| !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    match server {
        "s.whatsapp.net" | "c.us" if digits(user) => Some(Recipient {
            jid: format!("{user}@s.whatsapp.net"),
            phone: Some(format!("+{user}")),
        }),
        "lid" if digits(user) => Some(Recipient {
            jid: format!("{user}@lid"),
            phone: None,
        }),
        "g.us" if user.len() <= 40 && user.split('-').all(digits) => Some(Recipient {
            jid: format!("{user}@g.us"),
            phone: None,
        }),
        _ => None,
    }
}

/// Checks a text: 1–4096 characters.
pub fn parse_text(body: String) -> Result<String, UserError> {
    let length = body.chars().count();
    if body.trim().is_empty() {
        Err(UserError::invalid("content.text.body", "The text is empty."))
    } else if length > LONGEST_TEXT {
        let message = format!("A text has at most {LONGEST_TEXT} characters; this one has {length}.");
        Err(UserError::invalid("content.text.body", message))
    } else if body.contains('\0') {
        Err(UserError::invalid(
            "content.text.body",
            "The text contains a character that cannot be stored (U+0000).",
        ))
    } else {
        Ok(body)
    }
}

/// Checks an idempotency key: 1–64 printable ASCII characters.
pub fn parse_idempotency_key(key: Option<String>) -> Result<Option<String>, UserError> {
    match key {
        Some(key) if !(1..=64).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(UserError::invalid(
                "idempotencyKey",
                "A key has 1 to 64 printable ASCII characters without spaces.",
            ))
        }
        key => Ok(key),
    }
}

/// How far along a state is; a message only moves to a state with a higher number.
const fn rank(status: Status) -> u8 {
    match status {
        Status::Scheduled => 0,
        Status::Queued => 1,
        Status::Sending => 2,
        Status::Sent => 3,
        Status::Delivered => 4,
        Status::Read => 5,
        Status::Played => 6,
        // These end it.
        Status::Failed | Status::Canceled | Status::Expired | Status::Received => 9,
    }
}

/// Whether `to` may follow `from`. A message that waits again after an attempt whose outcome is unknown goes from SENDING
/// to QUEUED: to the outside both mean that it is not sent yet.
pub fn may_follow(from: Status, to: Status) -> bool {
    let ends = rank(from) == 9;
    // What left cannot fail any more: the server took it.
    let failed_too_late = rank(to) == 9 && rank(from) > 2;
    !ends && !failed_too_late && rank(to) > rank(from)
}

/// The states that `to` may follow, for the condition of an update.
pub fn before(to: Status) -> Vec<Status> {
    use sea_orm::Iterable;
    Status::iter().filter(|from| may_follow(*from, to)).collect()
}

/// Whether `status` is at least as far as `wanted`, or has ended.
pub fn has_reached(status: Status, wanted: Status) -> bool {
    rank(status) >= rank(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipt_never_regresses_status() {
        assert_eq!(
            before(Status::Delivered),
            [Status::Scheduled, Status::Queued, Status::Sending, Status::Sent]
        );
        assert!(!may_follow(Status::Read, Status::Delivered));
        assert!(!may_follow(Status::Delivered, Status::Sent));
        assert!(!may_follow(Status::Sent, Status::Failed));
        assert!(!may_follow(Status::Failed, Status::Delivered));
        assert!(may_follow(Status::Sending, Status::Failed));
    }

    #[test]
    fn addresses_are_read() {
        let read = |text: &str| parse_jid(text, "to.jid").map(|to| to.jid).ok();
        assert_eq!(read("62812@c.us").as_deref(), Some("62812@s.whatsapp.net"));
        assert_eq!(read("1203-99@g.us").as_deref(), Some("1203-99@g.us"));
        assert!(parse_person("62812@c.us", "mentions.0.jid").is_ok());
        assert!(parse_person("1203-99@g.us", "mentions.0.jid").is_err());
        for text in ["", "62812", "x@s.whatsapp.net", "62812@evil", "@g.us", "1-@g.us"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn texts_are_bounded_in_characters() {
        assert!(parse_text("é".repeat(LONGEST_TEXT)).is_ok());
        assert!(parse_text("x".repeat(LONGEST_TEXT + 1)).is_err());
        assert!(parse_text(" \n".into()).is_err());
    }
}
