//! What a tenant has chosen for itself.

use super::profile::Profile;
use crate::{
    graphql::UserError,
    phone::{self, E164},
};

/// Reads a phone number as this tenant's people write it: a local number is meant in the tenant's default country.
/// `path` is the field that the text came from.
pub fn parse_phone(profile: &Profile, text: &str, path: &str) -> Result<E164, UserError> {
    phone::parse(text, Some(&profile.default_country)).map_err(|error| error.at(path))
}
