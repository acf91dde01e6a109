//! Where the one secret comes from, and which ones are too weak.

use std::{io::Write, path::Path};

use base64::{Engine as _, engine::general_purpose};

use super::{ConfigError, Mode, layers::Origins};
use crate::secret::MasterKey;

const FILE: &str = "secret.key";

/// Texts that stand in examples: whoever uses one has not chosen a secret.
const EXAMPLES: [&str; 5] = ["changeme", "change-me", "secret", "example", "password"];

/// The configured key; in development one that is made once and kept in the data directory.
pub(super) fn resolve(mode: Mode, text: &str, data_dir: &Path, origins: &Origins) -> Result<MasterKey, ConfigError> {
    match (text, mode) {
        ("", Mode::Production) => Err(ConfigError::Secret(
            "no secret key is set, and production does not make one up: set KABAR_SECRET_KEY to at least 32 random \
             bytes, for example from `openssl rand -base64 32`, and keep it"
                .to_owned(),
        )),
        ("", Mode::Development) => kept(data_dir),
        (text, _) => {
            let bytes = decode(text);
            if mode == Mode::Production && is_guessable(text, &bytes) {
                return Err(origins.invalid(
                    "secret_key",
                    "it can be guessed; make one with `openssl rand -base64 32`",
                ));
            }
            MasterKey::new(bytes).ok_or_else(|| {
                origins.invalid(
                    "secret_key",
                    "it must have at least 32 bytes; make one with `openssl rand -base64 32`",
                )
            })
        }
    }
}

/// Secrets of before: they were good enough once, so only their length is checked.
pub(super) fn previous(texts: &[String], origins: &Origins) -> Result<Vec<MasterKey>, ConfigError> {
    let short = || origins.invalid("previous_secret_keys", "each must have at least 32 bytes");
    texts
        .iter()
        .map(|text| MasterKey::new(decode(text)).ok_or_else(short))
        .collect()
}

/// Base64 or hex of at least 32 bytes; anything else is taken as it stands.
fn decode(text: &str) -> Vec<u8> {
    let hex = || {
        let digits = text.as_bytes();
        let pairs = digits.chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        pairs.collect::<Option<Vec<u8>>>()
    };
    let base64 = || {
        general_purpose::STANDARD
            .decode(text)
            .or_else(|_| general_purpose::URL_SAFE_NO_PAD.decode(text))
            .ok()
    };
    hex()
        .filter(|bytes| bytes.len() >= MasterKey::MIN_BYTES)
        .or_else(|| base64().filter(|bytes| bytes.len() >= MasterKey::MIN_BYTES))
        .unwrap_or_else(|| text.as_bytes().to_vec())
}

/// Examples and texts with hardly any variety.
fn is_guessable(text: &str, bytes: &[u8]) -> bool {
    let mut distinct: Vec<u8> = bytes.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() < 12 || is_example(text)
}

/// Whether a text looks like one that somebody was meant to replace.
pub(super) fn is_example(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    EXAMPLES.iter().any(|example| lower.contains(example))
}

/// Reads the generated key, or makes it. Only its owner may read the file.
fn kept(data_dir: &Path) -> Result<MasterKey, ConfigError> {
    let path = data_dir.join(FILE);
    let unreadable = |source| ConfigError::Unreadable {
        path: path.clone(),
        source,
    };
    if let Ok(text) = std::fs::read_to_string(&path) {
        return MasterKey::new(decode(text.trim()))
            .ok_or_else(|| ConfigError::Secret(format!("{} is damaged: it must hold 32 bytes", path.display())));
    }
    let bytes: [u8; 32] = rand::random();
    std::fs::create_dir_all(data_dir).map_err(unreadable)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(mut file) => {
            file.write_all(general_purpose::STANDARD.encode(bytes).as_bytes())
                .map_err(unreadable)?;
            MasterKey::new(bytes.to_vec()).ok_or_else(|| ConfigError::Secret("the made key is too short".to_owned()))
        }
        // Somebody else was faster: theirs counts.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => kept(data_dir),
        Err(error) => Err(unreadable(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve_text(mode: Mode, text: &str) -> Result<MasterKey, ConfigError> {
        resolve(mode, text, Path::new("/nonexistent"), &Origins::default())
    }

    #[test]
    fn base64_hex_and_long_texts_are_read() {
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        assert_eq!(decode(hex), (0..32).collect::<Vec<u8>>());
        let base64 = general_purpose::STANDARD.encode((0..32).collect::<Vec<u8>>());
        assert_eq!(decode(&base64), (0..32).collect::<Vec<u8>>());
        let text = "correct horse battery staple and one more";
        assert_eq!(decode(text), text.as_bytes());
    }

    #[test]
    fn production_refuses_missing_short_and_guessable_keys() {
        for text in ["", "short", "changeme-changeme-changeme-changeme-42", &"a".repeat(64)] {
            assert!(resolve_text(Mode::Production, text).is_err(), "{text}");
        }
        assert!(resolve_text(Mode::Production, "9F3kq0vX7mB2tR8wYzL5cN1pD6hJ4sGa").is_ok());
    }

    #[test]
    fn development_makes_a_key_once_that_only_its_owner_can_read() {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path().join("new");
        let origins = Origins::default();
        let first = resolve(Mode::Development, "", &folder, &origins).expect("a key is made");
        let second = resolve(Mode::Development, "", &folder, &origins).expect("the key is read");
        assert_eq!(first.derive("x"), second.derive("x"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.join(FILE))
                .expect("it exists")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
