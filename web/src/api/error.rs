//! Why something asked of the API did not work.

use super::values::{ErrorCode, UserError};

#[derive(Clone, Debug, PartialEq)]
pub enum ApiError {
    /// The server could not be reached.
    Offline,
    /// Nobody is signed in any more.
    SignedOut,
    /// The role does not allow it.
    Forbidden,
    /// Expected outcomes, to be shown at their fields.
    Refused(Vec<UserError>),
    /// The server answered with something else; the text is its own.
    Failed { code: Option<String>, message: String },
}

impl ApiError {
    /// What is wrong with one field: the refusal whose path ends with this name.
    pub fn of_field(&self, name: &str) -> Option<&UserError> {
        let Self::Refused(errors) = self else { return None };
        errors.iter().find(|error| Self::last(error) == Some(name))
    }

    /// What belongs to no field of `names`.
    pub fn beside(&self, names: &[&str]) -> Option<&Self> {
        match self {
            Self::Refused(errors)
                if errors
                    .iter()
                    .all(|error| Self::last(error).is_some_and(|last| names.contains(&last))) =>
            {
                None
            }
            other => Some(other),
        }
    }

    pub fn is(&self, wanted: ErrorCode) -> bool {
        matches!(self, Self::Refused(errors) if errors.iter().any(|error| error.code == wanted))
    }

    fn last(error: &UserError) -> Option<&str> {
        error.field.as_ref()?.last().map(String::as_str)
    }
}

/// A payload's object, or its refusals.
pub fn accept<T>(value: Option<T>, errors: Vec<UserError>) -> Result<T, ApiError> {
    match value {
        Some(value) if errors.is_empty() => Ok(value),
        _ => Err(ApiError::Refused(errors)),
    }
}
