//! The network's clock and the identifiers it draws at random.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use rand::RngExt;

/// Seconds since 1970, as stanzas carry them in `t`.
pub fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// The current time for views and the ledger.
pub fn now() -> DateTime<Utc> {
    DateTime::<Utc>::from(SystemTime::now())
}

/// A message id of the form phones use: `3EB0` and 18 hexadecimal digits.
pub fn message_id() -> String {
    let mut random = [0u8; 9];
    rand::rng().fill(&mut random);
    let mut id = String::with_capacity(22);
    id.push_str("3EB0");
    for byte in random {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02X}");
    }
    id
}

/// Random bytes as unpadded URL-safe base64, for references and media tokens.
pub fn token(bytes: usize) -> String {
    use base64::Engine as _;
    let mut random = vec![0u8; bytes];
    rand::rng().fill(&mut random[..]);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random)
}
