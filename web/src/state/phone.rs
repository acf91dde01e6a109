//! Phone numbers as people read them: country, calling code, groups.

/// Calling codes and their countries, the ones most likely here. The longest code that fits wins.
const COUNTRIES: [(&str, &str); 58] = [
    ("1", "US"),
    ("20", "EG"),
    ("212", "MA"),
    ("234", "NG"),
    ("254", "KE"),
    ("27", "ZA"),
    ("30", "GR"),
    ("31", "NL"),
    ("32", "BE"),
    ("33", "FR"),
    ("34", "ES"),
    ("351", "PT"),
    ("353", "IE"),
    ("358", "FI"),
    ("36", "HU"),
    ("380", "UA"),
    ("39", "IT"),
    ("40", "RO"),
    ("41", "CH"),
    ("420", "CZ"),
    ("43", "AT"),
    ("44", "GB"),
    ("45", "DK"),
    ("46", "SE"),
    ("47", "NO"),
    ("48", "PL"),
    ("49", "DE"),
    ("51", "PE"),
    ("52", "MX"),
    ("54", "AR"),
    ("55", "BR"),
    ("56", "CL"),
    ("57", "CO"),
    ("60", "MY"),
    ("61", "AU"),
    ("62", "ID"),
    ("63", "PH"),
    ("64", "NZ"),
    ("65", "SG"),
    ("66", "TH"),
    ("670", "TL"),
    ("673", "BN"),
    ("7", "RU"),
    ("81", "JP"),
    ("82", "KR"),
    ("84", "VN"),
    ("852", "HK"),
    ("855", "KH"),
    ("86", "CN"),
    ("880", "BD"),
    ("886", "TW"),
    ("90", "TR"),
    ("91", "IN"),
    ("92", "PK"),
    ("94", "LK"),
    ("95", "MM"),
    ("966", "SA"),
    ("971", "AE"),
];

fn country(digits: &str) -> Option<(&'static str, &'static str)> {
    (1..=3).rev().find_map(|length| {
        let code = digits.get(..length)?;
        COUNTRIES.iter().find(|(known, _)| *known == code).copied()
    })
}

/// `+62 812-3456-7890`
pub fn grouped(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 7 {
        return number.to_owned();
    }
    let code = country(&digits).map_or("", |(code, _)| code);
    let rest = &digits[code.len()..];
    let mut groups = Vec::new();
    let mut from = 0;
    while from < rest.len() {
        let left = rest.len() - from;
        let take = match left {
            0..=4 => left,
            5..=6 => 3,
            _ if from == 0 => 3,
            _ => 4,
        };
        groups.push(&rest[from..from + take]);
        from += take;
    }
    let separator = if code.is_empty() { "+" } else { " " };
    let code = if code.is_empty() {
        String::new()
    } else {
        format!("+{code}")
    };
    format!("{code}{separator}{}", groups.join("-"))
}

/// The country in two letters. No flag: half the systems have no font that draws one.
pub fn region(number: &str) -> Option<&'static str> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    country(&digits).map(|(_, letters)| letters)
}

/// Digits and a leading plus, out of whatever was typed.
pub fn typed(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if text.trim_start().starts_with('+') {
        format!("+{digits}")
    } else {
        digits
    }
}
