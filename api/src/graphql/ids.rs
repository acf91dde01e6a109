//! Reads public ids out of arguments.

use std::str::FromStr;

use async_graphql::ID;

use super::errors::UserError;

/// Reads an id. Garbage is treated as somebody else's: there is no such object.
pub fn parse<T: FromStr>(id: &ID, what: &str, path: &str) -> Result<T, UserError> {
    id.parse().map_err(|_| UserError::not_found(what).at(path))
}
