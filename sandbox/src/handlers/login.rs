//! Login, activity, the offline queue, and what remains of a device when its connection ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use buffa::Message as _;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp as wa;

use crate::account::{KeyBundle, lock};
use crate::clock::unix_seconds;
use crate::connection::{Connection, Peer};
use crate::core::Core;
use crate::handlers::Origin;
use crate::number::Addressing;
use crate::phone::Request;
use crate::stanza::{empty_result, server, stream_error};
use crate::views::NetworkEvent;

/// What a client that is not linked registers with.
pub struct Registration {
    pub keys: KeyBundle,
    pub platform: String,
}

impl Registration {
    /// `devicePairingData` of the payload; absent for a login.
    pub fn of(payload: &wa::ClientPayload) -> Option<Self> {
        let data = payload.device_pairing_data.as_option()?;
        let number = |bytes: &Option<Vec<u8>>| {
            bytes
                .iter()
                .flatten()
                .fold(0u32, |number, byte| number << 8 | u32::from(*byte))
        };
        let properties = data
            .device_props
            .as_deref()
            .and_then(|bytes| wa::DeviceProps::decode_from_slice(bytes).ok());
        let platform = properties.map_or_else(String::new, |properties| {
            let kind = properties.platform_type.map(|kind| title_case(&format!("{kind:?}")));
            let system = properties.os.filter(|os| !os.is_empty());
            match (kind.filter(|kind| kind != "Unknown"), system) {
                (Some(kind), Some(system)) => format!("{kind} ({system})"),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => "Unknown".to_owned(),
            }
        });
        Some(Self {
            keys: KeyBundle {
                registration_id: number(&data.e_regid),
                identity: data.e_ident.clone().unwrap_or_default(),
                signed_id: number(&data.e_skey_id),
                signed_key: data.e_skey_val.clone().unwrap_or_default(),
                signed_signature: data.e_skey_sig.clone().unwrap_or_default(),
                ..KeyBundle::default()
            },
            platform,
        })
    }
}

fn title_case(constant: &str) -> String {
    constant
        .split('_')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            format!("{first}{}", rest.to_ascii_lowercase())
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The first stanza after the handshake: references to scan, `<success>`, or `<failure>`.
pub fn greet(core: &Arc<Core>, connection: &Arc<Connection>, payload: &wa::ClientPayload) {
    if connection.registration.is_some() {
        crate::pairing::offer_references(core, connection);
        return;
    }
    let digits = payload.username.unwrap_or_default().to_string();
    let device_id = u16::try_from(payload.device.unwrap_or_default()).unwrap_or_default();
    let found = core.account(&digits).and_then(|account| {
        let device = account.device(device_id)?;
        Some((account, device))
    });
    let Some((account, device)) = found
        .filter(|(_, device)| device.id != 0 && device.is_confirmed() && device.noise_key == connection.client_static)
    else {
        connection.send(
            NodeBuilder::new("failure")
                .attr("reason", 401)
                .attr("location", "sandbox")
                .build(),
        );
        connection.close();
        return;
    };
    let (refuse, freeze) = {
        let faults = lock(&account.faults);
        (faults.refuse_connections, faults.freeze_connections)
    };
    if refuse || core.closing.load(Ordering::Acquire) {
        connection.cut();
        return;
    }
    *lock(&connection.peer) = Peer::Device {
        account: Arc::clone(&account),
        device: Arc::clone(&device),
    };
    let previous = lock(&device.connection).replace(Arc::clone(connection));
    if let Some(previous) = previous {
        previous.send(replaced());
        previous.close();
    }
    connection.send(
        NodeBuilder::new("success")
            .attr("t", unix_seconds())
            .attr("lid", account.device_jid(Addressing::Hidden, device.id))
            .attr("creation", account.created_at.timestamp())
            .attr("display_name", account.name())
            .build(),
    );
    if freeze {
        connection.freeze();
    }
    device.has_logged_in.store(true, Ordering::Release);
    device.logged_in.notify_waiters();
    core.emit(NetworkEvent::DeviceOnline {
        number: account.number(),
        device: device.id,
    });
}

/// The stream error of a device that connected elsewhere.
pub fn replaced() -> Node {
    NodeBuilder::new("stream:error")
        .children([NodeBuilder::new("conflict").attr("type", "replaced").build()])
        .build()
}

/// The stream error of a device that was unlinked.
pub fn removed() -> Node {
    stream_error(
        401,
        Some(NodeBuilder::new("conflict").attr("type", "device_removed").build()),
    )
}

/// The connection is over.
pub fn farewell(core: &Arc<Core>, connection: &Arc<Connection>) {
    match connection.peer() {
        Peer::Unlinked => lock(&core.pairings).forget(connection),
        Peer::Device { account, device } => {
            let mut current = lock(&device.connection);
            if current.as_ref().is_some_and(|other| other.number == connection.number) {
                *current = None;
                drop(current);
                core.emit(NetworkEvent::DeviceOffline {
                    number: account.number(),
                    device: device.id,
                });
            }
        }
    }
}

/// `<iq xmlns="passive"><active/>` starts delivery: what waited first, marked `offline`, between
/// `<offline_preview>` and `<offline>`. The latter always comes: whatsapp-rust waits a minute for it.
pub fn set_activity(core: &Arc<Core>, connection: &Arc<Connection>, origin: &Origin, request: &Node) {
    let active = request.get_optional_child("active").is_some();
    let Some(device) = origin.account.device(origin.device) else {
        return;
    };
    if !active {
        connection.set_active(false);
        connection.send(empty_result(request));
        return;
    }
    {
        // Under the mailbox's lock: what is delivered from now on comes after what waited.
        let mailbox = lock(&device.mailbox);
        connection.send(empty_result(request));
        if connection.is_active() {
            return;
        }
        let waiting = mailbox.all();
        if !waiting.is_empty() {
            connection.send(preview(&waiting));
        }
        for stanza in &waiting {
            let mut replayed = Node::clone(stanza);
            replayed.attrs.insert("offline", "0");
            connection.send(replayed);
        }
        connection.send(information(
            NodeBuilder::new("offline").attr("count", waiting.len()).build(),
        ));
        connection.set_active(true);
    }
    if !device.welcomed.swap(true, Ordering::AcqRel) {
        origin.account.request(Request::Welcome(device.id));
    }
    core.save_soon(&origin.account);
}

fn preview(waiting: &[Arc<Node>]) -> Node {
    let of = |tag: &str| waiting.iter().filter(|stanza| stanza.tag == tag).count();
    information(
        NodeBuilder::new("offline_preview")
            .attr("count", waiting.len())
            .attr("message", of("message"))
            .attr("receipt", of("receipt"))
            .attr("notification", of("notification"))
            .attr("appdata", 0)
            .build(),
    )
}

fn information(child: Node) -> Node {
    NodeBuilder::new("ib").attr("from", server()).children([child]).build()
}
