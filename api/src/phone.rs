//! Phone numbers as people write them: the one parser for all of Kabar.
//!
//! It reads, and knows nothing of who asks or of any tenant; `tenants::settings` adds the tenant's own country.

use phonenumber::country;

use crate::graphql::{ErrorCode, UserError};

/// A phone number with its country code (E.164): 7 to 15 digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct E164 {
    digits: String,
}

impl E164 {
    /// Only the digits, country code first, as WhatsApp's addresses have them.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// As it is shown and stored: `+6281234567890`.
    pub fn text(&self) -> String {
        format!("+{}", self.digits)
    }
}

/// Why a text is no phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("A phone number has digits only, apart from +, spaces, dots, hyphens and brackets.")]
    Letters,
    #[error("This is no phone number. Write it with its country code, as in +62 812 3456 7890.")]
    Unknown,
    #[error("A phone number has 7 to 15 digits with its country code.")]
    Length,
}

impl PhoneError {
    /// The refusal, at the field that holds the text.
    pub fn at(self, path: &str) -> UserError {
        UserError::new(ErrorCode::InvalidPhoneNumber, self.to_string()).at(path)
    }
}

/// Whether a number is written as people dial it inside their country: only then its meaning depends on a country.
pub fn is_local(text: &str) -> bool {
    let digits = digits_of(text);
    !text.contains('+') && digits.starts_with('0') && !digits.starts_with("00")
}

/// Reads a phone number: international with `+`, `00` or nothing before its country code, or local with the default
/// country (ISO 3166-1 alpha-2).
pub fn parse(text: &str, default_country: Option<&str>) -> Result<E164, PhoneError> {
    if !text
        .trim()
        .chars()
        .all(|letter| letter.is_ascii_digit() || " +-.()\u{a0}".contains(letter))
    {
        return Err(PhoneError::Letters);
    }
    let parsed = if is_local(text) {
        let country: Option<country::Id> = default_country.and_then(|code| code.parse().ok());
        phonenumber::parse(country, digits_of(text))
    } else {
        let digits = digits_of(text);
        phonenumber::parse(None, format!("+{}", digits.strip_prefix("00").unwrap_or(&digits)))
    };
    let number = parsed.map_err(|_| PhoneError::Unknown)?;
    let e164 = number.format().mode(phonenumber::Mode::E164).to_string();
    let digits = e164.trim_start_matches('+').to_owned();
    if !(7..=15).contains(&digits.len()) {
        return Err(PhoneError::Length);
    }
    Ok(E164 { digits })
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_usual_forms() {
        for text in [
            "+62 812-3456-7890",
            "6281234567890",
            "006281234567890",
            "0812 3456 7890",
            " (0812) 3456.7890 ",
        ] {
            let number = parse(text, Some("ID")).expect(text);
            assert_eq!(number.digits(), "6281234567890", "{text}");
            assert_eq!(number.text(), "+6281234567890", "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "abc",
            "+62abc",
            "12",
            "+999999999999999999",
            "0812345",
            "08123456789012345678",
        ] {
            assert!(parse(text, None).is_err(), "{text}");
        }
        assert_eq!(parse("+62abc", None), Err(PhoneError::Letters));
    }

    #[test]
    fn a_local_number_means_nothing_without_a_country() {
        assert_eq!(parse("0812 3456 7890", None), Err(PhoneError::Unknown));
        assert_eq!(
            parse("0171 234 5678", Some("DE")).map(|number| number.text()),
            Ok("+491712345678".to_owned())
        );
    }
}
