//! The second factor of a login: six digits of an authenticator app (TOTP, RFC 6238), and recovery codes for when the app
//! is lost.
//!
//! Owns the tables `second_factor` and `recovery_code`. A person without a confirmed row logs in by password alone.
//!
//! **Invariant:** a code counts once. The row remembers the time step of the newest accepted one and moves only forward,
//! in one conditional update, so that of two requests with the same code one is refused. A recovery code is marked as
//! used the same way.
//!
//! **Invariant:** codes are throttled by themselves: a right password does not give anybody more guesses.

mod challenge;
mod queries;
mod resealing;
mod schema;
mod service;
mod types;

pub use challenge::Challenge;
pub use resealing::reseal;
pub use schema::{SecondFactor, SecondFactorMutation};
pub use service::reset;
