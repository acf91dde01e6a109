//! The keys that the server makes for itself: for encrypting what is stored, and for signing access tokens.
//!
//! Owns the table `server_key`. Each key is stored encrypted under a key that is derived from the configured secret, so
//! that the secret can change without anything else changing, and a key can be rotated without the secret.
//!
//! **Invariant:** a key is used some seconds after it was stored, and every node looks for new ones every second: nobody
//! meets a value or a token whose key it does not know.
//!
//! **Invariant:** an encryption key is kept for opening, even retired, until a later rotation a day after it has found that
//! nothing names it.

mod keyring;
mod queries;
mod resealing;
mod rotation;
mod signing;

pub use keyring::{KeyError, Keyring};
pub use resealing::{Resealed, is_under_another_key};
pub use rotation::{RETIRED_FOR, SETTLES, begin_encryption, finish_encryption, rewrap, rotate_signing};
pub use signing::{SigningKey, SigningKeys};
