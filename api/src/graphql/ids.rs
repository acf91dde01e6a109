//! Reads public ids out of arguments.

use std::str::FromStr;

use async_graphql::ID;

use sea_orm::prelude::Uuid;

use super::errors::UserError;

/// Reads an id. Garbage is treated as somebody else's: there is no such object.
pub fn parse<T: FromStr>(id: &ID, what: &str, path: &str) -> Result<T, UserError> {
    id.parse().map_err(|_| UserError::not_found(what).at(path))
}

/// Reads an id that only narrows a search. Garbage is treated as somebody else's: an id that no row has, so that
/// nothing is found.
pub fn narrow<T: FromStr + From<Uuid>>(id: &ID) -> T {
    id.parse().unwrap_or_else(|_| T::from(Uuid::nil()))
}

#[cfg(test)]
mod tests {
    use entity::{ChatId, DeviceId};

    use super::*;

    #[test]
    fn garbage_and_ids_of_other_kinds_find_nothing() {
        let device = DeviceId(Uuid::from_u128(7));
        assert_eq!(narrow::<DeviceId>(&ID(device.to_string())), device);
        for garbage in ["", "dev_", "7", &ChatId(Uuid::from_u128(7)).to_string()] {
            assert_eq!(
                narrow::<DeviceId>(&ID(garbage.to_owned())),
                DeviceId(Uuid::nil()),
                "{garbage}"
            );
        }
    }
}
