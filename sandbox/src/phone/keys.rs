//! The lasting keys of a new phone.

use rand::RngExt;
use rand::rngs::StdRng;
use wacore_libsignal::protocol::{IdentityKeyPair, KeyPair};

use crate::account::PhoneKeys;
use crate::error::SandboxError;

/// Draws a phone's keys.
pub fn generate() -> Result<PhoneKeys, SandboxError> {
    let mut random = rand::make_rng::<StdRng>();
    let identity = IdentityKeyPair::generate(&mut random);
    let signed_pre_key = KeyPair::generate(&mut random);
    let signed_pre_key_signature = identity
        .private_key()
        .calculate_signature(&signed_pre_key.public_key.serialize(), &mut random)
        .map_err(|failure| SandboxError::Crypto(failure.to_string()))?
        .to_vec();
    let mut sync_key = vec![0u8; 32];
    random.fill(&mut sync_key[..]);
    Ok(PhoneKeys {
        identity,
        registration_id: random.random_range(1..16_380),
        signed_pre_key_id: 1,
        signed_pre_key,
        signed_pre_key_signature,
        adv_raw_id: random.random(),
        sync_key_id: vec![0, 0, 0, 0, 0, 1],
        sync_key,
    })
}
