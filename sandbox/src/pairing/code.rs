//! Linking by a code of eight characters that the client shows and the phone's user types.
//!
//! Both sides encrypt an ephemeral key with what follows from the code; the client then sends its
//! identity encrypted with what follows from both keys. Only then does a wrong code show.

use std::sync::Arc;

use tokio::sync::oneshot;
use wacore::crypto::hkdf_sha256_into;
use wacore::pair_code::PairCodeUtils;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use wacore_libsignal::crypto::aes_256_gcm_decrypt;
use wacore_libsignal::protocol::{KeyPair, PublicKey};

use super::{LOGIN_LIMIT, await_login, send_success};
use crate::account::{Account, Device, lock};
use crate::clock;
use crate::connection::Connection;
use crate::core::Core;
use crate::error::SandboxError;
use crate::stanza::{attr, child_bytes, empty_result, error, leaf, result, server};
use crate::views::LinkedDevice;

/// A client that showed a pairing code and waits for somebody to type it.
pub struct CodeOffer {
    pub connection: Arc<Connection>,
    reference: String,
    wrapped_companion_ephemeral: Vec<u8>,
    /// Set when the code was typed.
    entered: Option<Entered>,
}

struct Entered {
    account: Arc<Account>,
    ephemeral: KeyPair,
    companion_ephemeral: [u8; 32],
    outcome: oneshot::Sender<Result<Arc<Device>, SandboxError>>,
}

/// The phone's user types a pairing code; returns when the new device has logged in.
pub async fn enter(core: &Arc<Core>, account: &Arc<Account>, typed: &str) -> Result<LinkedDevice, SandboxError> {
    let typed: String = typed
        .chars()
        .filter(|character| !matches!(character, '-' | ' '))
        .map(|character| character.to_ascii_uppercase())
        .collect();
    if !PairCodeUtils::validate_code(&typed) {
        return Err(SandboxError::WrongPairingCode);
    }
    let (wrapped, reference) = {
        let pairings = lock(&core.pairings);
        let offer = pairings
            .codes
            .get(&account.user)
            .ok_or(SandboxError::NoPairingRequested)?;
        (offer.wrapped_companion_ephemeral.clone(), offer.reference.clone())
    };

    let ephemeral = KeyPair::generate(&mut rand::rng());
    let our_public = key_array(ephemeral.public_key.public_key_bytes())?;
    // Two key derivations of 131,072 rounds each: not on a thread that serves connections.
    let (companion_ephemeral, wrapped_ours) = tokio::task::spawn_blocking(move || {
        let theirs = PairCodeUtils::decrypt_primary_ephemeral_pub(&wrapped, &typed);
        (theirs, PairCodeUtils::encrypt_ephemeral_pub(&our_public, &typed))
    })
    .await
    .map_err(|failure| SandboxError::Crypto(failure.to_string()))?;
    let companion_ephemeral = companion_ephemeral.map_err(|failure| SandboxError::Crypto(failure.to_string()))?;

    let (sender, outcome) = oneshot::channel();
    {
        let mut pairings = lock(&core.pairings);
        let offer = pairings
            .codes
            .get_mut(&account.user)
            .filter(|offer| offer.reference == reference)
            .ok_or(SandboxError::NoPairingRequested)?;
        offer.entered = Some(Entered {
            account: Arc::clone(account),
            ephemeral,
            companion_ephemeral,
            outcome: sender,
        });
        offer.connection.send(primary_hello(account, &reference, &wrapped_ours));
    }
    let device = tokio::time::timeout(LOGIN_LIMIT, outcome)
        .await
        .map_err(|_| SandboxError::PairingTimedOut)?
        .map_err(|_| SandboxError::PairingTimedOut)??;
    await_login(core, account, &device).await
}

fn primary_hello(account: &Account, reference: &str, wrapped_ephemeral: &[u8]) -> Node {
    NodeBuilder::new("notification")
        .attr("from", server())
        .attr("id", clock::message_id())
        .attr("type", "link_code_companion_reg")
        .attr("t", clock::unix_seconds())
        .children([NodeBuilder::new("link_code_companion_reg")
            .attr("stage", "primary_hello")
            .children([
                leaf("link_code_pairing_wrapped_primary_ephemeral_pub", wrapped_ephemeral),
                leaf(
                    "primary_identity_pub",
                    account.keys.identity.public_key().public_key_bytes(),
                ),
                leaf("link_code_pairing_ref", reference),
            ])
            .build()])
        .build()
}

/// `<iq xmlns="md">` from a client that is not linked: both stages of a pairing code.
pub fn handle_stage(core: &Arc<Core>, connection: &Arc<Connection>, request: &Node) {
    let answer =
        request
            .get_optional_child("link_code_companion_reg")
            .and_then(|stage| match attr(stage, "stage").as_deref() {
                Some("companion_hello") => companion_hello(core, connection, request, stage),
                Some("companion_finish") => {
                    let answer = empty_result(request);
                    connection.send(answer);
                    companion_finish(core, connection, stage);
                    None
                }
                _ => Some(error(request, 400, "bad-request")),
            });
    if let Some(answer) = answer {
        connection.send(answer);
    }
}

fn companion_hello(core: &Core, connection: &Arc<Connection>, request: &Node, stage: &Node) -> Option<Node> {
    let number = attr(stage, "jid")?;
    let Ok(digits) = crate::number::parse_number(&number) else {
        return Some(error(request, 400, "bad-request"));
    };
    let wrapped = child_bytes(stage, "link_code_pairing_wrapped_companion_ephemeral_pub")?.to_vec();
    let reference = clock::token(24);
    lock(&core.pairings).codes.insert(
        digits,
        CodeOffer {
            connection: Arc::clone(connection),
            reference: reference.clone(),
            wrapped_companion_ephemeral: wrapped,
            entered: None,
        },
    );
    Some(result(
        request,
        [NodeBuilder::new("link_code_companion_reg")
            .attr("stage", "companion_hello")
            .children([leaf("link_code_pairing_ref", reference)])
            .build()],
    ))
}

/// The companion proves that it knows the code by encrypting its key bundle with what follows from it.
fn companion_finish(core: &Arc<Core>, connection: &Arc<Connection>, stage: &Node) {
    let entered = {
        let mut pairings = lock(&core.pairings);
        let Some(offer) = pairings
            .codes
            .values_mut()
            .find(|offer| offer.connection.number == connection.number)
        else {
            return;
        };
        offer.entered.take()
    };
    let Some(entered) = entered else {
        return;
    };
    let outcome = open_bundle(&entered, stage)
        .and_then(|(identity, adv_secret)| send_success(core, &entered.account, connection, &identity, &adv_secret));
    // The caller may have given up waiting.
    let _ = entered.outcome.send(outcome);
}

fn open_bundle(entered: &Entered, stage: &Node) -> Result<(Vec<u8>, Vec<u8>), SandboxError> {
    let crypto = |failure: &dyn std::fmt::Display| SandboxError::Crypto(failure.to_string());
    let wrapped = child_bytes(stage, "link_code_pairing_wrapped_key_bundle").ok_or(SandboxError::WrongPairingCode)?;
    let identity = child_bytes(stage, "companion_identity_public").ok_or(SandboxError::WrongPairingCode)?;
    let (Some(salt), Some(iv), Some(ciphertext)) = (wrapped.get(..32), wrapped.get(32..44), wrapped.get(44..)) else {
        return Err(SandboxError::WrongPairingCode);
    };
    let companion_ephemeral =
        PublicKey::from_djb_public_key_bytes(&entered.companion_ephemeral).map_err(|failure| crypto(&failure))?;
    let companion_identity = PublicKey::from_djb_public_key_bytes(identity).map_err(|failure| crypto(&failure))?;
    let ephemeral_secret = entered
        .ephemeral
        .private_key
        .calculate_agreement(&companion_ephemeral)
        .map_err(|failure| crypto(&failure))?;
    let mut key = [0u8; 32];
    hkdf_sha256_into(
        &ephemeral_secret,
        Some(salt),
        b"link_code_pairing_key_bundle_encryption_key",
        &mut key,
    )
    .map_err(|_| SandboxError::Crypto("key derivation".to_owned()))?;
    let iv: [u8; 12] = iv.try_into().map_err(|_| SandboxError::WrongPairingCode)?;
    let mut bundle = Vec::new();
    aes_256_gcm_decrypt(&key, &iv, b"", ciphertext, &mut bundle).map_err(|_| SandboxError::WrongPairingCode)?;
    let random = bundle.get(64..96).ok_or(SandboxError::WrongPairingCode)?;
    let identity_secret = entered
        .account
        .keys
        .identity
        .private_key()
        .calculate_agreement(&companion_identity)
        .map_err(|failure| crypto(&failure))?;
    let mut adv_secret = vec![0u8; 32];
    hkdf_sha256_into(
        &[&ephemeral_secret[..], &identity_secret[..], random].concat(),
        None,
        b"adv_secret",
        &mut adv_secret,
    )
    .map_err(|_| SandboxError::Crypto("key derivation".to_owned()))?;
    Ok((identity.to_vec(), adv_secret))
}

fn key_array(bytes: &[u8]) -> Result<[u8; 32], SandboxError> {
    bytes
        .try_into()
        .map_err(|_| SandboxError::Crypto("a public key has 32 bytes".to_owned()))
}
