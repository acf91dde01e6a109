//! Phone numbers and the account identifiers made from them.

use sha2::{Digest, Sha256};
use wacore_binary::{Jid, Server};

use crate::error::SandboxError;

/// The digits of a number: `+62 812-3456` and `628123456` are the same one.
pub fn parse_number(input: &str) -> Result<String, SandboxError> {
    let invalid = || SandboxError::InvalidNumber(input.to_owned());
    let body = input.split('@').next().unwrap_or(input);
    let mut digits = String::with_capacity(15);
    for (position, character) in body.trim().chars().enumerate() {
        match character {
            '0'..='9' => digits.push(character),
            '+' if position == 0 => {}
            ' ' | '-' | '.' | '(' | ')' => {}
            _ => return Err(invalid()),
        }
    }
    if (7..=15).contains(&digits.len()) && !digits.starts_with('0') {
        Ok(digits)
    } else {
        Err(invalid())
    }
}

/// The number as views show it.
pub fn with_plus(digits: &str) -> String {
    format!("+{digits}")
}

/// The account's hidden identity: 15 digits that follow from the number, so that a phone created
/// again under the same number is the same person to those who remember it.
pub fn lid_of(digits: &str) -> String {
    let hash = Sha256::digest(format!("kabar sandbox lid {digits}"));
    let mut bytes = [0u8; 8];
    bytes.copy_from_slice(&hash[..8]);
    format!(
        "{}",
        100_000_000_000_000 + u64::from_be_bytes(bytes) % 800_000_000_000_000
    )
}

/// Which of an account's two identities a stanza uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Addressing {
    /// By phone number, `@s.whatsapp.net`.
    Number,
    /// By hidden identity, `@lid`.
    Hidden,
}

impl Addressing {
    /// The addressing a jid is written in; `None` for groups, servers and the like.
    pub fn of(jid: &Jid) -> Option<Self> {
        match jid.server {
            Server::Pn | Server::Legacy => Some(Self::Number),
            Server::Lid => Some(Self::Hidden),
            _ => None,
        }
    }

    /// The value of `addressing_mode`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "pn",
            Self::Hidden => "lid",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_spellings_give_the_same_digits() {
        for spelling in [
            "+62 812 3456 789",
            "628123456789",
            "62-812-3456-789",
            "628123456789@s.whatsapp.net",
        ] {
            assert_eq!(parse_number(spelling).unwrap(), "628123456789", "{spelling}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in ["", "abc", "0812345678", "12", "+12345678901234567"] {
            assert!(parse_number(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hidden_identities_are_steady_and_have_fifteen_digits() {
        assert_eq!(lid_of("628123456789"), lid_of("628123456789"));
        assert_ne!(lid_of("628123456789"), lid_of("628123456780"));
        assert_eq!(lid_of("628123456789").len(), 15);
    }
}
