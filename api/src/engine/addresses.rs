//! One address per contact: WhatsApp speaks of people by phone number or by LID, we by phone number whenever we can.

use std::sync::Arc;

use wacore_binary::{Jid, JidExt as _};
use whatsapp_rust::Client;

/// A contact's or group's address as the domain knows it, with the digits of the phone number when there is one.
pub(super) struct Address {
    pub(super) jid: String,
    pub(super) phone: Option<String>,
}

/// Translates addresses with what one client has learnt.
#[derive(Clone)]
pub(super) struct Addresses {
    client: Arc<Client>,
}

impl Addresses {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    /// `alternative` is the other form of the address, when the stanza carried it.
    pub(super) async fn resolve(&self, jid: &Jid, alternative: Option<&Jid>) -> Address {
        if jid.is_pn() {
            return phone(jid);
        }
        if !jid.is_lid() {
            return Address {
                jid: jid.to_non_ad_string(),
                phone: None,
            };
        }
        if let Some(alternative) = alternative.filter(|alternative| alternative.is_pn()) {
            return phone(alternative);
        }
        let own = [self.client.lid(), self.client.pn()];
        if let [Some(lid), Some(pn)] = &own
            && lid.user == jid.user
        {
            return phone(pn);
        }
        match self.client.get_lid_pn_entry(jid).await {
            Ok(Some(entry)) => phone(&Jid::pn(&*entry.phone_number)),
            Ok(None) => Address {
                jid: jid.to_non_ad_string(),
                phone: None,
            },
            Err(error) => {
                tracing::warn!(%error, "an address pair could not be read");
                Address {
                    jid: jid.to_non_ad_string(),
                    phone: None,
                }
            }
        }
    }

    /// Whether the address is the account's own.
    pub(super) fn is_own(&self, jid: &Jid) -> bool {
        let own = if jid.is_lid() {
            self.client.lid()
        } else {
            self.client.pn()
        };
        own.is_some_and(|own| own.user == jid.user && own.server == jid.server)
    }
}

fn phone(jid: &Jid) -> Address {
    Address {
        jid: jid.to_non_ad_string(),
        phone: Some(jid.user.to_string()),
    }
}

/// An address that messages can be sent to.
pub(super) fn parse_chat(text: &str) -> Option<Jid> {
    let jid: Jid = text.parse().ok()?;
    let known = jid.is_pn() || jid.is_lid() || jid.is_group();
    (known && !jid.user.is_empty()).then_some(jid)
}

/// A phone number's address.
pub(super) fn phone_jid(digits: &str) -> Option<Jid> {
    let plausible = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plausible.then(|| Jid::pn(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_can_be_written_to_are_parsed() {
        for good in [
            "6281234567890@s.whatsapp.net",
            "100000012345678@lid",
            "120363021033254949@g.us",
        ] {
            assert!(parse_chat(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "6281234567890",
            "@s.whatsapp.net",
            "status@broadcast",
            "1@newsletter",
            "not an address",
        ] {
            assert!(parse_chat(bad).is_none(), "{bad}");
        }
        assert!(phone_jid("6281234567890").is_some());
        for bad in ["", "12", "+6281234567890", "62812345678901234"] {
            assert!(phone_jid(bad).is_none(), "{bad}");
        }
    }
}
