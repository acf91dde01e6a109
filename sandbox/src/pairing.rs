//! Linking a companion: by QR code, and (see [`code`]) by pairing code.
//!
//! The steps and their stanzas are those whatsapp-rust's `pair.rs` and `pair_code.rs` and Baileys
//! expect: `<pair-device>` with six references, `<pair-success>` once a phone scanned one,
//! `<pair-device-sign>` from the client, then the stream error 515 and a login.

pub mod code;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use buffa::Message as _;
use wacore::pair::PairUtils;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp as wa;

use crate::account::{Account, Device, lock};
use crate::clock;
use crate::connection::Connection;
use crate::core::Core;
use crate::error::SandboxError;
use crate::number::Addressing;
use crate::stanza::{bytes, leaf, server, stream_error};
use crate::views::{LinkedDevice, NetworkEvent};

/// How long a client may take from the scan to its login.
const LOGIN_LIMIT: Duration = Duration::from_secs(30);
/// The client expects the stream to end only after its `<pair-device-sign>` is out: an error sent
/// at once leaves one pairing in a hundred hanging for ten seconds.
const PAUSE_BEFORE_515: Duration = Duration::from_millis(200);
/// Companions an account may have.
const MAXIMUM_COMPANIONS: usize = 32;

/// Pairings that are going on.
#[derive(Default)]
pub struct Pairings {
    references: HashMap<String, Arc<Connection>>,
    codes: HashMap<String, code::CodeOffer>,
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

async fn await_login(core: &Core, account: &Arc<Account>, device: &Arc<Device>) -> Result<LinkedDevice, SandboxError> {
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
            if let Some(storage) = &core.storage {
                storage.save_account(core, account).await?;
            }
            Ok(device.view())
        }
        () = tokio::time::sleep(LOGIN_LIMIT) => Err(SandboxError::PairingTimedOut),
        () = core.stop.cancelled() => Err(SandboxError::Closed),
    }
}
