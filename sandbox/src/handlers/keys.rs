//! Signal keys: upload, digest, count, and bundles for those who start a session.
//!
//! **Invariant:** a one-time key is handed out once. Companions upload theirs; a phone's are made
//! when somebody asks, so they never run out.

use std::sync::Arc;

use wacore::prekeys::compute_key_bundle_digest;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::KeyPair;

use crate::account::{Account, Device, KeyBundle, OneTimeKey, lock};
use crate::clock;
use crate::core::Core;
use crate::handlers::Origin;
use crate::stanza::{bytes, child_bytes, child_number, children, empty_result, error, jid_attr, leaf, result, server};

/// Below this many one-time keys the server asks the device for more.
const LOW_WATER: usize = 10;

pub fn handle(core: &Arc<Core>, origin: &Origin, request: &Node, set: bool) -> Node {
    let Some(device) = origin.account.device(origin.device) else {
        return error(request, 401, "not-authorized");
    };
    if set {
        store(&device, request);
        core.save_soon(&origin.account);
        return empty_result(request);
    }
    if let Some(wanted) = request.get_optional_child("key") {
        let users = children(wanted).iter().filter(|user| user.tag == "user");
        let list: Vec<Node> = users
            .filter_map(|user| Some(bundle_for(core, &jid_attr(user, "jid")?)))
            .collect();
        return result(request, [NodeBuilder::new("list").children(list).build()]);
    }
    let keys = lock(&device.keys);
    let Some(keys) = keys.as_ref() else {
        return error(request, 404, "item-not-found");
    };
    if request.get_optional_child("digest").is_some() {
        return result(request, [digest(keys)]);
    }
    if request.get_optional_child("count").is_some() {
        return result(
            request,
            [NodeBuilder::new("count").attr("value", keys.one_time.len()).build()],
        );
    }
    error(request, 400, "bad-request")
}

/// An upload (`<registration>`, `<identity>`, `<list>`, `<skey>`) or a `<rotate>` of the signed key.
fn store(device: &Device, request: &Node) {
    let mut guard = lock(&device.keys);
    let keys = guard.get_or_insert_default();
    if let Some(id) = child_number(request, "registration") {
        keys.registration_id = id;
    }
    if let Some(identity) = child_bytes(request, "identity") {
        keys.identity = without_type(identity);
    }
    let rotated = request
        .get_optional_child("rotate")
        .and_then(|rotate| rotate.get_optional_child("skey"));
    if let Some(signed) = request.get_optional_child("skey").or(rotated)
        && let (Some(id), Some(value), Some(signature)) = (
            child_number(signed, "id"),
            child_bytes(signed, "value"),
            child_bytes(signed, "signature"),
        )
    {
        keys.signed_id = id;
        keys.signed_key = without_type(value);
        keys.signed_signature = signature.to_vec();
    }
    for key in request.get_optional_child("list").map(children).unwrap_or_default() {
        if let (Some(id), Some(value)) = (child_number(key, "id"), child_bytes(key, "value"))
            && !keys.one_time.iter().any(|known| known.id == id)
        {
            keys.one_time.push_back(OneTimeKey {
                id,
                key: without_type(value),
            });
        }
    }
}

/// Public keys travel without the type byte `05`; some clients write it all the same.
fn without_type(key: &[u8]) -> Vec<u8> {
    if key.len() == 33 && key[0] == 5 {
        key[1..].to_vec()
    } else {
        key.to_vec()
    }
}

/// The digest a client compares with its own keys, as whatsapp-rust's `iq/prekeys.rs` reads it.
fn digest(keys: &KeyBundle) -> Node {
    let one_time: Vec<&[u8]> = keys.one_time.iter().map(|key| key.key.as_slice()).collect();
    let hash = compute_key_bundle_digest(&keys.identity, &keys.signed_key, &keys.signed_signature, &one_time);
    NodeBuilder::new("digest")
        .children([
            leaf("registration", keys.registration_id.to_be_bytes()),
            leaf("type", [5]),
            leaf("identity", keys.identity.as_slice()),
            signed_key(keys.signed_id, &keys.signed_key, &keys.signed_signature),
            NodeBuilder::new("list")
                .children(keys.one_time.iter().map(|key| leaf("id", &key.id.to_be_bytes()[1..])))
                .build(),
            leaf("hash", hash),
        ])
        .build()
}

fn signed_key(id: u32, key: &[u8], signature: &[u8]) -> Node {
    NodeBuilder::new("skey")
        .children([
            leaf("id", &id.to_be_bytes()[1..]),
            leaf("value", key),
            leaf("signature", signature),
        ])
        .build()
}

/// What is needed to start a session with a device.
pub struct Bundle {
    pub registration_id: u32,
    pub identity: Vec<u8>,
    pub one_time: Option<(u32, Vec<u8>)>,
    pub signed: (u32, Vec<u8>, Vec<u8>),
    /// ADVSignedDeviceIdentity; companions only.
    pub device_identity: Option<Vec<u8>>,
}

/// Takes a bundle: its one-time key is gone afterwards.
pub fn take_bundle(core: &Core, account: &Account, device: &Device) -> Option<Bundle> {
    if device.id == 0 {
        return Some(phone_bundle(account));
    }
    let mut guard = lock(&device.keys);
    let keys = guard.as_mut()?;
    let one_time = keys.one_time.pop_front();
    let left = keys.one_time.len();
    let bundle = Bundle {
        registration_id: keys.registration_id,
        identity: keys.identity.clone(),
        one_time: one_time.map(|key| (key.id, key.key)),
        signed: (keys.signed_id, keys.signed_key.clone(), keys.signed_signature.clone()),
        device_identity: lock(&device.signed_identity).clone(),
    };
    drop(guard);
    // Forgotten, the key would be handed out again after a crash.
    core.save_soon(account);
    if left == LOW_WATER {
        device.deliver(account, running_low(left));
    }
    Some(bundle)
}

fn phone_bundle(account: &Account) -> Bundle {
    let keys = &account.keys;
    let pair = KeyPair::generate(&mut rand::rng());
    let public = pair.public_key.public_key_bytes().to_vec();
    let id = {
        let mut pre_keys = lock(&account.pre_keys);
        let id = pre_keys.next_id;
        pre_keys.next_id = id % 0x00FF_FFFE + 1;
        pre_keys.unused.insert(id, pair);
        id
    };
    account.mark_dirty();
    Bundle {
        registration_id: keys.registration_id,
        identity: keys.identity.public_key().public_key_bytes().to_vec(),
        one_time: Some((id, public)),
        signed: (
            keys.signed_pre_key_id,
            keys.signed_pre_key.public_key.public_key_bytes().to_vec(),
            keys.signed_pre_key_signature.clone(),
        ),
        device_identity: None,
    }
}

/// `<notification type="encrypt"><count/>`: the device uploads more keys.
fn running_low(left: usize) -> Node {
    NodeBuilder::new("notification")
        .attr("from", server())
        .attr("id", clock::message_id())
        .attr("type", "encrypt")
        .attr("t", clock::unix_seconds())
        .children([NodeBuilder::new("count").attr("value", left).build()])
        .build()
}

/// `<user jid>` of an answer: keys, or an error (404: no such account, 406: no such device).
fn bundle_for(core: &Core, jid: &Jid) -> Node {
    let user = NodeBuilder::new("user").attr("jid", jid);
    let refused = |code: u16| NodeBuilder::new("error").attr("code", code).build();
    let Some(account) = core.visible_account_of(jid) else {
        return user.children([refused(404)]).build();
    };
    let found = account
        .device(jid.device)
        .and_then(|device| take_bundle(core, &account, &device));
    let Some(bundle) = found else {
        return user.children([refused(406)]).build();
    };
    let mut keys = vec![
        leaf("registration", bundle.registration_id.to_be_bytes()),
        leaf("type", [5]),
        leaf("identity", bundle.identity),
        signed_key(bundle.signed.0, &bundle.signed.1, &bundle.signed.2),
    ];
    if let Some((id, key)) = bundle.one_time {
        keys.push(
            NodeBuilder::new("key")
                .children([leaf("id", &id.to_be_bytes()[1..]), leaf("value", key)])
                .build(),
        );
    }
    if let Some(identity) = bundle.device_identity {
        keys.push(leaf("device-identity", identity));
    }
    user.children(keys).build()
}

/// The keys an identity in a retry receipt carries; the counterpart of whatsapp-rust's
/// `build_retry_keys_node`.
pub fn read_retry_keys(receipt: &Node) -> Option<Bundle> {
    let keys = receipt.get_optional_child("keys")?;
    let signed = keys.get_optional_child("skey")?;
    let one_time = keys
        .get_optional_child("key")
        .and_then(|key| Some((child_number(key, "id")?, without_type(child_bytes(key, "value")?))));
    Some(Bundle {
        registration_id: child_number(receipt, "registration")?,
        identity: without_type(child_bytes(keys, "identity")?),
        one_time,
        signed: (
            child_number(signed, "id")?,
            without_type(child_bytes(signed, "value")?),
            child_bytes(signed, "signature")?.to_vec(),
        ),
        device_identity: keys
            .get_optional_child("device-identity")
            .and_then(bytes)
            .map(<[u8]>::to_vec),
    })
}

/// The keys a phone puts into its own retry receipts.
pub fn phone_retry_keys(account: &Account) -> Node {
    let bundle = phone_bundle(account);
    let mut keys = vec![leaf("type", [5]), leaf("identity", bundle.identity)];
    if let Some((id, key)) = bundle.one_time {
        keys.push(
            NodeBuilder::new("key")
                .children([leaf("id", &id.to_be_bytes()[1..]), leaf("value", key)])
                .build(),
        );
    }
    keys.push(signed_key(bundle.signed.0, &bundle.signed.1, &bundle.signed.2));
    NodeBuilder::new("keys").children(keys).build()
}
