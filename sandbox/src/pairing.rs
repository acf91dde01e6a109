//! Linking a companion: by QR code and by pairing code.
//!
//! The steps and their stanzas are those whatsapp-rust's `pair.rs` and `pair_code.rs` and Baileys
//! expect: `<pair-device>` with six references, `<pair-success>` once a phone scanned one,
//! `<pair-device-sign>` from the client, then the stream error 515 and a login.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use buffa::Message as _;
use tokio::sync::oneshot;
use wacore::crypto::hkdf_sha256_into;
use wacore::pair::PairUtils;
use wacore::pair_code::PairCodeUtils;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use wacore_libsignal::crypto::aes_256_gcm_decrypt;
use wacore_libsignal::protocol::{KeyPair, PublicKey};
use waproto::whatsapp as wa;

use crate::account::{Account, Device, lock};
use crate::clock;
use crate::connection::Connection;
use crate::core::Core;
use crate::error::SandboxError;
use crate::number::Addressing;
use crate::stanza::{attr, bytes, child_bytes, empty_result, error, leaf, result, server, stream_error};
use crate::views::{LinkedDevice, NetworkEvent};

/// How long a client may take from the scan to its login.
const LOGIN_LIMIT: Duration = Duration::from_secs(30);
/// The client expects the stream to end only after its `<pair-device-sign>` is out: an error sent
/// at once leaves one pairing in a hundred hanging for ten seconds.
const PAUSE_BEFORE_515: Duration = Duration::from_millis(200);
/// Companions an account may have.
const MAXIMUM_COMPANIONS: usize = 32;

/// A client that showed a pairing code and waits for somebody to type it.
struct CodeOffer {
    connection: Arc<Connection>,
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

/// Pairings that are going on.
#[derive(Default)]
pub struct Pairings {
    references: HashMap<String, Arc<Connection>>,
    codes: HashMap<String, CodeOffer>,
    /// By connection number: devices that were told of their success and have not signed yet.
    unsigned: HashMap<u64, (Arc<Account>, Arc<Device>)>,
}

impl Pairings {
    /// Forgets what a closed connection had started.
    pub fn forget(&mut self, connection: &Connection) {
        self.references.retain(|_, other| other.number != connection.number);
        self.codes
            .retain(|_, offer| offer.connection.number != connection.number);
        self.unsigned.remove(&connection.number);
    }
}

/// `<iq xmlns="md" type="set"><pair-device><ref/>×6`: what QR codes are made of.
pub fn offer_references(core: &Core, connection: &Arc<Connection>) {
    let references: Vec<String> = (0..6).map(|_| format!("2@{}", clock::token(24))).collect();
    let mut pairings = lock(&core.pairings);
    for reference in &references {
        pairings.references.insert(reference.clone(), Arc::clone(connection));
    }
    drop(pairings);
    connection.send(
        NodeBuilder::new("iq")
            .attr("from", server())
            .attr("type", "set")
            .attr("id", clock::message_id())
            .attr("xmlns", "md")
            .children([NodeBuilder::new("pair-device")
                .children(references.into_iter().map(|reference| leaf("ref", reference)))
                .build()])
            .build(),
    );
}

/// The phone scans a QR code; returns when the new device has logged in.
pub async fn scan_qr(core: &Arc<Core>, account: &Arc<Account>, qr: &str) -> Result<LinkedDevice, SandboxError> {
    let (reference, noise_key, identity) = PairUtils::parse_qr_code(qr).map_err(|_| SandboxError::InvalidQr)?;
    let adv_secret = adv_secret_of(qr).ok_or(SandboxError::InvalidQr)?;
    let connection = lock(&core.pairings)
        .references
        .get(&reference)
        .cloned()
        .ok_or(SandboxError::QrExpired)?;
    if connection.client_static != noise_key {
        return Err(SandboxError::InvalidQr);
    }
    let device = send_success(core, account, &connection, &identity, &adv_secret)?;
    await_login(core, account, &device).await
}

/// The secret is the fourth field of the code.
fn adv_secret_of(qr: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let field = qr.split(',').nth(3)?;
    let secret = base64::engine::general_purpose::STANDARD.decode(field).ok()?;
    (secret.len() == 32).then_some(secret)
}

/// The phone's user types a pairing code; returns when the new device has logged in.
pub async fn enter_code(core: &Arc<Core>, account: &Arc<Account>, typed: &str) -> Result<LinkedDevice, SandboxError> {
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
pub fn handle_code_stage(core: &Arc<Core>, connection: &Arc<Connection>, request: &Node) {
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

/// `<iq type="set"><pair-success>`: the phone vouches for the companion's identity.
fn send_success(
    core: &Core,
    account: &Arc<Account>,
    connection: &Arc<Connection>,
    identity: &[u8],
    adv_secret: &[u8],
) -> Result<Arc<Device>, SandboxError> {
    let registration = connection.registration.as_ref().ok_or(SandboxError::QrExpired)?;
    if account.devices().len() > MAXIMUM_COMPANIONS {
        return Err(SandboxError::TooManyDevices);
    }
    let id = account.next_device.fetch_add(1, Ordering::Relaxed);
    let key_index = u32::from(id);
    let device_identity = crate::adv::device_identity(&account.keys, key_index, identity, adv_secret)?;
    let device = Arc::new(Device::companion(
        id,
        registration.platform.clone(),
        connection.client_static.to_vec(),
        key_index,
        clock::now(),
    ));
    *lock(&device.keys) = Some(registration.keys.clone());
    {
        let mut pairings = lock(&core.pairings);
        pairings.references.retain(|_, other| other.number != connection.number);
        pairings
            .unsigned
            .insert(connection.number, (Arc::clone(account), Arc::clone(&device)));
    }
    let mut children = vec![
        leaf("device-identity", device_identity),
        NodeBuilder::new("device")
            .attr("jid", account.device_jid(Addressing::Number, id))
            .attr("lid", account.device_jid(Addressing::Hidden, id))
            .build(),
        NodeBuilder::new("platform").attr("name", "android").build(),
        // The push name, where whatsapp-rust looks for it.
        NodeBuilder::new("biz").attr("name", account.name()).build(),
    ];
    if core.addressing() == Addressing::Hidden {
        let properties = wa::ClientPairingProps {
            is_chat_db_lid_migrated: Some(true),
            ..Default::default()
        };
        children.push(leaf("client-props", properties.encode_to_vec()));
    }
    connection.send(
        NodeBuilder::new("iq")
            .attr("from", server())
            .attr("type", "set")
            .attr("id", clock::message_id())
            .attr("xmlns", "md")
            .attr("t", clock::unix_seconds())
            .children([NodeBuilder::new("pair-success").children(children).build()])
            .build(),
    );
    Ok(device)
}

/// The client's answer to `<pair-success>`: its own signature, or a refusal.
pub fn handle_answer(core: &Arc<Core>, connection: &Arc<Connection>, answer: &Node) {
    let Some(signature) = answer.get_optional_child("pair-device-sign") else {
        return;
    };
    let Some((account, device)) = lock(&core.pairings).unsigned.remove(&connection.number) else {
        return;
    };
    let Some(signed) = signature.get_optional_child("device-identity").and_then(bytes) else {
        return;
    };
    *lock(&device.signed_identity) = Some(signed.to_vec());
    account.add_device(Arc::clone(&device));
    core.save_soon(&account);
    crate::handlers::devices::announce_added(core, &account, &device);
    core.emit(NetworkEvent::DeviceLinked {
        number: account.number(),
        device: device.view(),
    });
    core.emit(NetworkEvent::PhoneChanged {
        number: account.number(),
    });
    let connection = Arc::clone(connection);
    core.tasks.spawn(async move {
        tokio::time::sleep(PAUSE_BEFORE_515).await;
        connection.send(stream_error(515, None));
        connection.close();
    });
}

async fn await_login(core: &Core, account: &Account, device: &Arc<Device>) -> Result<LinkedDevice, SandboxError> {
    let login = async {
        loop {
            let logged_in = device.logged_in.notified();
            if device.has_logged_in.load(Ordering::Acquire) {
                return;
            }
            logged_in.await;
        }
    };
    tokio::select! {
        () = login => {
            core.save_soon(account);
            Ok(device.view())
        }
        () = tokio::time::sleep(LOGIN_LIMIT) => Err(SandboxError::PairingTimedOut),
        () = core.stop.cancelled() => Err(SandboxError::Closed),
    }
}

fn key_array(bytes: &[u8]) -> Result<[u8; 32], SandboxError> {
    bytes
        .try_into()
        .map_err(|_| SandboxError::Crypto("a public key has 32 bytes".to_owned()))
}
