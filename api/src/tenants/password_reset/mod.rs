//! A new password for somebody who has forgotten the old one: by a link that works once and ends soon.
//!
//! Owns the table `password_reset`. The link is mailed to the account's own address, or an operator passes it on.
//!
//! **Invariant:** who asks for a link learns nothing. The answer is given before anybody looks whether there is such an
//! account, and what follows happens beside the request.
//!
//! **Invariant:** a used link ends every session and every other link of the person, in the transaction that sets the
//! password.

mod queries;
mod schema;
mod service;

pub use schema::{PasswordResetMutation, PasswordResetQuery};
pub use service::operator_link;
