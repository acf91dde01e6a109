//! What an address says about a chat.

use entity::chat::Kind;

/// Whom a chat with this address is with.
pub fn kind_of(jid: &str) -> Kind {
    match jid.rsplit_once('@').map(|(_, server)| server) {
        Some("g.us") => Kind::Group,
        Some("newsletter") => Kind::Newsletter,
        Some("broadcast") if jid.starts_with("status@") => Kind::Status,
        Some("broadcast") => Kind::Broadcast,
        _ => Kind::Direct,
    }
}

/// The phone number in an address, as E.164.
pub fn phone_of(jid: &str) -> Option<String> {
    let (user, server) = jid.rsplit_once('@')?;
    let digits = user.split([':', '.']).next()?;
    let is_phone = matches!(server, "s.whatsapp.net" | "c.us") && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_phone && !digits.is_empty()).then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_tell_the_kind_and_the_number() {
        assert_eq!(kind_of("6281@s.whatsapp.net"), Kind::Direct);
        assert_eq!(kind_of("99@lid"), Kind::Direct);
        assert_eq!(kind_of("1-2@g.us"), Kind::Group);
        assert_eq!(kind_of("status@broadcast"), Kind::Status);
        assert_eq!(kind_of("7@broadcast"), Kind::Broadcast);
        assert_eq!(phone_of("6281:4@s.whatsapp.net").as_deref(), Some("+6281"));
        assert_eq!(phone_of("99@lid"), None);
        assert_eq!(phone_of("1-2@g.us"), None);
    }
}
