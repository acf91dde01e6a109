//! What a group says of itself.

use std::time::Duration;

use wacore::types::message::AddressingMode;
use wacore_binary::{Jid, JidExt as _};
use whatsapp_rust::Client;

use super::{EngineError, addresses::parse_chat};

const PATIENCE: Duration = Duration::from_secs(20);

/// How a group calls these people: one address for each, in their order. Whoever is not known by the other kind of
/// address keeps the one they have.
pub(super) async fn addresses_in(client: &Client, group: &str, people: &[String]) -> Result<Vec<String>, EngineError> {
    let group = parse_chat(group).filter(Jid::is_group).ok_or(EngineError::Address)?;
    // Every message to the group needs this as well: the library asks WhatsApp once and keeps the answer.
    let groups = client.groups();
    let info = tokio::time::timeout(PATIENCE, groups.query_info(&group))
        .await
        .map_err(|_| EngineError::Timeout)?
        .map_err(|error| EngineError::Refused(error.to_string()))?;
    let mut addresses = Vec::with_capacity(people.len());
    for person in people {
        let jid = parse_chat(person).ok_or(EngineError::Address)?;
        let hidden = info.addressing_mode == AddressingMode::Lid;
        let told = match (hidden, jid.is_lid()) {
            (true, false) => info
                .lid_user_for_phone_user(&jid.user)
                .map(|user| Jid::lid(user.as_str())),
            (false, true) => info.phone_jid_for_lid_user(&jid.user).map(Jid::to_non_ad),
            _ => Some(jid.clone()),
        };
        let address = match told {
            Some(address) => address,
            None => known(client, &jid).await.unwrap_or(jid),
        };
        addresses.push(address.to_non_ad_string());
    }
    Ok(addresses)
}

/// The other form of a person's address, when this device has learnt it.
async fn known(client: &Client, jid: &Jid) -> Option<Jid> {
    let entry = client.get_lid_pn_entry(jid).await;
    let entry = entry.inspect_err(|error| tracing::warn!(%error, "an address pair could not be read"));
    let entry = entry.ok().flatten()?;
    Some(if jid.is_lid() {
        Jid::pn(&*entry.phone_number)
    } else {
        Jid::lid(&*entry.lid)
    })
}
