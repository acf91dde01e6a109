//! Codes: how they are made, drawn and recognised.

use entity::{UserId, id::encode_base32};
use sha2::{Digest, Sha256};
use totp_rs::{Builder, Totp, TotpError};

use crate::secret::Secret;

/// What apps show beside the account.
const ISSUER: &str = "Kabar";
/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;
/// Letters and digits of a recovery code: 80 bits.
const RECOVERY_LENGTH: usize = 16;

/// The bytes that an authenticator app and the server share: 160 bits, as RFC 4226 recommends.
#[derive(Clone)]
pub struct TotpSecret(Vec<u8>);

impl TotpSecret {
    /// A random one.
    pub fn random() -> Self {
        Self(rand::random::<[u8; 20]>().to_vec())
    }

    /// From what was kept.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What is kept, encrypted.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// For people who type it into their app.
    pub fn base32(&self) -> Result<Secret, TotpError> {
        Ok(Secret::new(self.totp("")?.secret().to_base32()))
    }

    /// For apps: `otpauth://totp/Kabar:email?secret=…&issuer=Kabar`.
    pub fn uri(&self, email: &str) -> Result<Secret, TotpError> {
        // A colon parts issuer and account.
        Ok(Secret::new(self.totp(&email.replace(':', "_"))?.to_url()?))
    }

    /// The time step of a code that is right now, one step early, or one late.
    pub fn step_of(&self, code: &str, now: i64) -> Result<Option<i64>, TotpError> {
        let now = u64::try_from(now).unwrap_or(0);
        let step = self.totp("")?.check(code, now);
        Ok(step.and_then(|step| i64::try_from(step).ok()))
    }

    /// SHA-1, six digits, thirty seconds: what every app understands.
    fn totp(&self, account: &str) -> Result<Totp, TotpError> {
        Builder::new()
            .with_secret(self.0.clone())
            .with_issuer(Some(ISSUER))
            .with_account_name(account)
            .build()
    }
}

/// What somebody typed as a second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// Six digits of an app.
    Totp(String),
    /// A recovery code, without its dashes, in lower case.
    Recovery(String),
}

impl Code {
    /// Reads one, with or without spaces and dashes. `None` when it can't be one.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let plain: String = text
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-')
            .flat_map(char::to_lowercase)
            .collect();
        match plain.len() {
            6 if plain.bytes().all(|byte| byte.is_ascii_digit()) => Some(Self::Totp(plain)),
            RECOVERY_LENGTH if plain.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Some(Self::Recovery(plain)),
            _ => None,
        }
    }
}

/// Fresh recovery codes, as people see them: four groups of four.
pub fn recovery_codes() -> Vec<Secret> {
    let one = || {
        let text = encode_base32(rand::random());
        let letters = &text[text.len() - RECOVERY_LENGTH..];
        let groups: Vec<&str> = (0..RECOVERY_LENGTH / 4)
            .map(|group| &letters[group * 4..][..4])
            .collect();
        Secret::new(groups.join("-"))
    };
    (0..RECOVERY_CODES).map(|_| one()).collect()
}

/// What the database keeps of a recovery code: bound to its owner, so that equal codes don't show.
pub fn recovery_hash(user: UserId, code: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(user.0.as_bytes());
    hash.update(code.as_bytes());
    hash.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, SHA-1, cut to six digits.
        let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec());
        for (now, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(secret.step_of(code, now).ok().flatten(), Some(now / 30), "{code}");
            assert_eq!(
                secret.step_of(code, now + 30).ok().flatten(),
                Some(now / 30),
                "one step late"
            );
            assert_eq!(secret.step_of(code, now + 60).ok().flatten(), None, "two steps late");
        }
        assert_eq!(secret.step_of("000000", 59).ok().flatten(), None);
    }

    #[test]
    fn apps_are_told_secret_account_and_issuer() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec());
        let uri = secret.uri("a:b@kabar.test").expect("it can be written");
        let uri = uri.expose();
        assert!(uri.starts_with("otpauth://totp/Kabar:"), "{uri}");
        assert!(uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{uri}");
        assert!(uri.contains("issuer=Kabar"), "{uri}");
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        assert_eq!(Code::read(" 123 456 "), Some(Code::Totp("123456".into())));
        let codes = recovery_codes();
        assert_eq!(codes.len(), RECOVERY_CODES);
        let code = codes[0].expose();
        let plain = code.replace('-', "");
        assert_eq!(Code::read(&code.to_uppercase()), Some(Code::Recovery(plain)));
        assert_ne!(codes[0].expose(), codes[1].expose());
        for garbage in ["", "12345", "1234567", "12345a", "ä23456", &"1".repeat(1000)] {
            assert_eq!(Code::read(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn equal_codes_of_two_people_are_kept_differently() {
        let (one, other): (UserId, UserId) = (crate::clock::new_id(), crate::clock::new_id());
        assert_ne!(recovery_hash(one, "x"), recovery_hash(other, "x"));
    }
}
