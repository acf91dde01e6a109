//! The secret of a token, and what is known of one.

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{ApiTokenId, DeviceId, TenantId, api_token, id::encode_base32};

use crate::{
    config::Network,
    graphql::UserError,
    secret::Secret,
    tenants::{
        limits::{Limits, Meter},
        permission::Scope,
    },
};

/// What every token begins with, so that scanners for leaked secrets know it.
const BEGIN: &str = "kbt_";
const PREFIX: usize = 10;
const SECRET: usize = 52;
const CHECKSUM: usize = 7;

/// A token's secret: `kbt_<10>_<52><7>`: a part that may be shown, 256 random bits, and a checksum by which a mistyped or
/// invented one is refused without asking the database.
#[derive(Clone, Debug)]
pub struct TokenSecret(Secret);

impl TokenSecret {
    /// A random one.
    pub fn random() -> Self {
        let prefix = &encode_base32(rand::random())[26 - PREFIX..];
        let secret = encode_base32(rand::random()) + &encode_base32(rand::random());
        let text = format!("{BEGIN}{prefix}_{secret}");
        let checksum = checksum(&text);
        Self(Secret::new(text + &checksum))
    }

    /// Whether a text wants to be an API token, rather than an access token.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(BEGIN)
    }

    /// Reads what a caller sent. `None` when it can't be one.
    pub fn read(text: &str) -> Option<Self> {
        let is_sane = text.is_ascii() && text.len() == BEGIN.len() + PREFIX + 1 + SECRET + CHECKSUM;
        let (body, sum) = is_sane.then(|| text.split_at(text.len() - CHECKSUM))?;
        (TokenSecret::is_meant(text) && checksum(body) == sum).then(|| Self(Secret::new(text)))
    }

    /// What the maker is shown, once.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The part that may be shown for ever.
    pub fn prefix(&self) -> &str {
        &self.0.expose()[..BEGIN.len() + PREFIX]
    }

    /// What the database keeps.
    pub fn hash(&self) -> Vec<u8> {
        self.0.sha256()
    }
}

fn checksum(text: &str) -> String {
    encode_base32(u128::from(crc32fast::hash(text.as_bytes())))[26 - CHECKSUM..].to_owned()
}

/// What the database says about a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenStanding {
    /// Which one.
    pub id: ApiTokenId,
    /// Whose.
    pub tenant_id: TenantId,
    /// How people call it.
    pub name: Arc<str>,
    /// What it is found by.
    pub secret_hash: Vec<u8>,
    /// What it may do.
    pub scopes: Arc<[Scope]>,
    /// The only devices that it may see; `None` is every one.
    pub devices: Option<Arc<[DeviceId]>>,
    /// The only networks that it may come from; empty is every one.
    pub networks: Vec<Network>,
    /// What it may use, within what its tenant may.
    pub limits: Limits,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl TokenStanding {
    /// Whether it may be used now, from this address. An address that is not known is on no list.
    pub fn admits(&self, address: Option<IpAddr>, now: DateTime<Utc>) -> bool {
        let is_near = |address: IpAddr| self.networks.iter().any(|network| network.contains(address));
        self.revoked_at.is_none()
            && self.expires_at.is_none_or(|end| now < end)
            && (self.networks.is_empty() || address.is_some_and(is_near))
    }
}

impl From<api_token::Model> for TokenStanding {
    fn from(row: api_token::Model) -> Self {
        Self {
            scopes: scopes_of(&row).into(),
            devices: devices_of(&row).map(Into::into),
            networks: networks_of(&row).iter().filter_map(|text| text.parse().ok()).collect(),
            limits: limits_of(&row),
            id: row.id,
            tenant_id: row.tenant_id,
            name: row.name.into(),
            secret_hash: row.secret_hash,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// The scopes of a row. A name that this version does not know gives no right.
pub fn scopes_of(row: &api_token::Model) -> Vec<Scope> {
    let names = texts(&row.scopes);
    let known = |name: &String| Scope::ALL.into_iter().find(|scope| scope.as_str() == name);
    names.iter().filter_map(known).collect()
}

/// The devices of a row. Whatever can't be read is no device: a broken list opens nothing.
pub fn devices_of(row: &api_token::Model) -> Option<Vec<DeviceId>> {
    let ids = row.device_ids.as_ref()?;
    Some(texts(ids).iter().filter_map(|id| id.parse().ok()).collect())
}

/// The networks of a row, as they were written.
pub fn networks_of(row: &api_token::Model) -> Vec<String> {
    texts(&row.allowed_networks)
}

/// The limits of a row.
pub fn limits_of(row: &api_token::Model) -> Limits {
    row.limits.as_ref().map(Limits::read).unwrap_or_default()
}

/// Limits of what is counted by the day or the month: only that can be told apart by token.
pub fn parse_limits(wanted: impl IntoIterator<Item = (Meter, Option<i64>)>) -> Result<Limits, UserError> {
    let limits = Limits::parse(wanted, "limits")?;
    if limits.iter().any(|(meter, _)| !Meter::OF_TOKENS.contains(&meter)) {
        let message =
            "A token can have limits of MESSAGES_PER_DAY, MESSAGES_PER_MONTH and CAMPAIGN_RECIPIENTS_PER_DAY.";
        return Err(UserError::invalid("limits", message));
    }
    Ok(limits)
}

fn texts(value: &serde_json::Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

/// 1–120 characters.
pub fn parse_name(name: &str) -> Result<String, UserError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 120 {
        return Err(UserError::invalid("name", "A name has 1 to 120 characters."));
    }
    Ok(name.to_owned())
}

/// At least one, each once.
pub fn parse_scopes(scopes: &[Scope]) -> Result<Vec<Scope>, UserError> {
    let parsed: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| scopes.contains(scope)).collect();
    if parsed.is_empty() {
        return Err(UserError::invalid("scopes", "Give at least one scope."));
    }
    Ok(parsed)
}

/// A moment to come, at most ten years away.
pub fn parse_expiry(at: DateTime<Utc>, now: DateTime<Utc>) -> Result<DateTime<Utc>, UserError> {
    if at <= now || at > now + TimeDelta::days(3_660) {
        let message = "A token expires in the future, within ten years.";
        return Err(UserError::invalid("expiresAt", message));
    }
    Ok(at)
}

/// At most 50 addresses or networks in CIDR notation.
pub fn parse_networks(networks: &[String]) -> Result<Vec<String>, UserError> {
    if networks.len() > 50 {
        return Err(UserError::invalid(
            "allowedNetworks",
            "At most 50 networks can be given.",
        ));
    }
    let mut parsed = Vec::new();
    for text in networks.iter().map(|text| text.trim()) {
        if text.parse::<Network>().is_err() {
            let message = format!(
                "`{}` is no address or network, such as 203.0.113.0/24.",
                shortened(text)
            );
            return Err(UserError::invalid("allowedNetworks", message));
        }
        if !parsed.iter().any(|known| known == text) {
            parsed.push(text.to_owned());
        }
    }
    Ok(parsed)
}

fn shortened(text: &str) -> String {
    text.chars().take(50).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_a_mistyped_one_is_refused() {
        let secret = TokenSecret::random();
        let text = secret.expose();
        assert_eq!(text.len(), 74);
        assert!(text.starts_with(secret.prefix()) && secret.prefix().len() == 14);
        let read = TokenSecret::read(text).expect("it is whole");
        assert_eq!(read.hash(), secret.hash());
        for position in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[position] = if bytes[position] == b'0' { b'1' } else { b'0' };
            let mistyped = String::from_utf8(bytes).expect("ASCII");
            assert!(TokenSecret::read(&mistyped).is_none(), "{mistyped}");
        }
        for garbage in ["", "kbt_", &text[1..], &format!("{text}0"), "kbt_ä"] {
            assert!(TokenSecret::read(garbage).is_none(), "{garbage}");
        }
        assert_ne!(TokenSecret::random().expose(), text);
    }

    #[test]
    fn a_token_is_good_until_it_ends_and_from_its_networks() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a moment");
        let address = |text: &str| Some(text.parse().expect("an address"));
        let token = |networks: &[&str], expires_at, revoked_at| TokenStanding {
            id: crate::clock::new_id(),
            tenant_id: crate::clock::new_id(),
            name: "x".into(),
            secret_hash: Vec::new(),
            scopes: [].into(),
            devices: None,
            limits: Limits::default(),
            networks: networks.iter().map(|text| text.parse().expect("a network")).collect(),
            expires_at,
            revoked_at,
        };
        assert!(token(&[], None, None).admits(None, now));
        assert!(!token(&[], Some(now), None).admits(None, now));
        assert!(!token(&[], None, Some(now)).admits(None, now));
        let near = token(&["10.0.0.0/8", "2001:db8::/32"], None, None);
        assert!(near.admits(address("10.1.2.3"), now) && near.admits(address("2001:db8::1"), now));
        assert!(near.admits(address("::ffff:10.1.2.3"), now));
        assert!(!near.admits(address("11.1.2.3"), now) && !near.admits(None, now));
    }

    #[test]
    fn networks_are_read_and_nonsense_is_named() {
        let parse = |texts: &[&str]| parse_networks(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            parse(&[" 10.0.0.1 ", "10.0.0.1"]).ok(),
            Some(vec!["10.0.0.1".to_owned()])
        );
        assert!(parse(&["10.0.0.0/33"]).is_err() && parse(&["example.com"]).is_err());
    }
}
