//! Advanced device verification: how a phone vouches for its companions.
//!
//! The phone's identity key signs each companion's identity (prefix `06 00`) and the list of
//! companions (prefix `06 02`); the companion signs back (`06 01`). As whatsapp-rust's `adv.rs` and
//! `pair.rs` verify it.

use buffa::Message as _;
use hmac::{Hmac, KeyInit, Mac};
use rand::rngs::StdRng;
use sha2::Sha256;
use waproto::whatsapp as wa;

use crate::account::{Account, PhoneKeys};
use crate::clock::unix_seconds;
use crate::error::SandboxError;

fn sign(keys: &PhoneKeys, parts: &[&[u8]]) -> Result<Vec<u8>, SandboxError> {
    keys.identity
        .private_key()
        .calculate_signature(&parts.concat(), &mut rand::make_rng::<StdRng>())
        .map(|signature| signature.to_vec())
        .map_err(|failure| SandboxError::Crypto(failure.to_string()))
}

/// The `<device-identity>` of `<pair-success>`: ADVSignedDeviceIdentityHMAC.
pub fn device_identity(
    keys: &PhoneKeys,
    key_index: u32,
    companion_identity: &[u8],
    adv_secret: &[u8],
) -> Result<Vec<u8>, SandboxError> {
    let details = wa::ADVDeviceIdentity {
        raw_id: Some(keys.adv_raw_id),
        timestamp: Some(unix_seconds()),
        key_index: Some(key_index),
        ..Default::default()
    }
    .encode_to_vec();
    let signature = sign(keys, &[&[6, 0], &details, companion_identity])?;
    let signed = wa::ADVSignedDeviceIdentity {
        details: Some(details),
        account_signature_key: Some(keys.identity.public_key().public_key_bytes().to_vec()),
        account_signature: Some(signature),
        ..Default::default()
    }
    .encode_to_vec();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(adv_secret).map_err(|failure| SandboxError::Crypto(failure.to_string()))?;
    mac.update(&signed);
    Ok(wa::ADVSignedDeviceIdentityHMAC {
        details: Some(signed),
        hmac: Some(mac.finalize().into_bytes().to_vec()),
        ..Default::default()
    }
    .encode_to_vec())
}

/// The `<key-index-list>` of device lists: ADVSignedKeyIndexList.
pub fn key_index_list(account: &Account, timestamp: u64) -> Result<Vec<u8>, SandboxError> {
    let mut valid_indexes = vec![0];
    valid_indexes.extend(
        account
            .devices()
            .values()
            .filter(|device| device.id != 0 && device.is_confirmed())
            .map(|device| device.key_index),
    );
    let details = wa::ADVKeyIndexList {
        raw_id: Some(account.keys.adv_raw_id),
        timestamp: Some(timestamp),
        current_index: valid_indexes.iter().copied().max(),
        valid_indexes,
        ..Default::default()
    }
    .encode_to_vec();
    let signature = sign(&account.keys, &[&[6, 2], &details])?;
    Ok(wa::ADVSignedKeyIndexList {
        details: Some(details),
        account_signature: Some(signature),
        ..Default::default()
    }
    .encode_to_vec())
}
