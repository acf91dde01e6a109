//! Parsed values of what operators write.

use crate::graphql::UserError;

/// A tenant's short name: 2–60 lower-case letters, digits and single dashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(pub String);

impl Slug {
    /// Checks it.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        let slug = text.trim();
        let sane = (2..=60).contains(&slug.len())
            && slug
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !slug.starts_with('-')
            && !slug.ends_with('-')
            && !slug.contains("--");
        if sane {
            Ok(Self(slug.to_owned()))
        } else {
            let message = "A short name has 2 to 60 lower-case letters and digits, with single dashes between them.";
            Err(UserError::invalid("slug", message))
        }
    }
}

/// A plan's name: 1–120 characters in one line.
pub fn parse_plan_name(text: &str) -> Result<String, UserError> {
    let name = text.trim();
    if (1..=120).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(UserError::invalid(
            "name",
            "A plan's name has 1 to 120 characters in one line.",
        ))
    }
}

/// A text of at most 500 characters; an empty one is none.
pub fn parse_note(text: Option<&str>, path: &str) -> Result<Option<String>, UserError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > 500 => {
            Err(UserError::invalid(path, "The text has at most 500 characters."))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

/// Why an operator enters a tenant, for the tenant to read: 3–500 characters.
pub fn parse_reason(text: &str) -> Result<String, UserError> {
    let reason = text.trim();
    if (3..=500).contains(&reason.chars().count()) {
        Ok(reason.to_owned())
    } else {
        let message = "Say in 3 to 500 characters why: the tenant reads it.";
        Err(UserError::invalid("reason", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_plain() {
        for text in ["ab", "toko-budi-2"] {
            assert!(Slug::parse(text).is_ok(), "{text}");
        }
        for text in ["a", "-ab", "ab-", "a--b", "Toko", "tökö", &"x".repeat(61)] {
            assert!(Slug::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn notes_are_bounded() {
        assert_eq!(parse_note(Some("  "), "reason").ok(), Some(None));
        assert!(parse_note(Some(&"x".repeat(501)), "reason").is_err());
    }
}
