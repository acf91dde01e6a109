//! Companions coming and going.

use std::sync::Arc;

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::account::{Account, Device, lock};
use crate::clock;
use crate::connection::Connection;
use crate::core::Core;
use crate::handlers::{Origin, login};
use crate::number::Addressing;
use crate::phone::Request;
use crate::stanza::{empty_result, jid_attr};
use crate::views::NetworkEvent;

/// `<iq xmlns="md" type="set"><remove-companion-device jid reason/>`: a client logs itself out.
/// Anything else in this namespace is acknowledged.
pub fn handle(core: &Arc<Core>, connection: &Arc<Connection>, origin: &Origin, request: &Node) -> Node {
    let removed = request
        .get_optional_child("remove-companion-device")
        .and_then(|node| jid_attr(node, "jid"));
    if let Some(jid) = removed {
        let id = if jid.device == 0 { origin.device } else { jid.device };
        if id == origin.device {
            connection.send(empty_result(request));
        }
        unlink(core, &origin.account, id);
    }
    empty_result(request)
}

/// Unlinks a device: its connection ends with the error of a removed device, its mailbox is gone,
/// its next login fails.
pub fn unlink(core: &Arc<Core>, account: &Arc<Account>, id: u16) -> bool {
    if id == 0 {
        return false;
    }
    let Some(device) = account.remove_device(id) else {
        return false;
    };
    if let Some(connection) = device.live_connection() {
        connection.send(login::removed());
        connection.close();
    }
    account.request(Request::Forget(id));
    announce(account, &device, "remove");
    core.save_soon(account);
    core.emit(NetworkEvent::DeviceUnlinked {
        number: account.number(),
        device: id,
    });
    core.emit(NetworkEvent::PhoneChanged {
        number: account.number(),
    });
    true
}

/// Tells the account's other companions of a new one.
pub fn announce_added(core: &Core, account: &Arc<Account>, device: &Arc<Device>) {
    let _ = core;
    announce(account, device, "add");
}

/// `<notification type="devices"><add|remove><device jid key-index/><key-index-list/>`, as
/// whatsapp-rust's `stanza/devices.rs` reads it.
fn announce(account: &Account, device: &Device, change: &'static str) {
    let timestamp = clock::unix_seconds();
    let Ok(list) = crate::adv::key_index_list(account, timestamp) else {
        return;
    };
    for other in account.devices().values() {
        if other.id == 0 || other.id == device.id || !other.is_confirmed() {
            continue;
        }
        let children = [
            NodeBuilder::new("device")
                .attr("jid", account.device_jid(Addressing::Number, device.id))
                .attr("lid", account.device_jid(Addressing::Hidden, device.id))
                .attr("key-index", device.key_index)
                .build(),
            NodeBuilder::new("key-index-list")
                .attr("ts", timestamp)
                .bytes(list.as_slice())
                .build(),
        ];
        other.deliver(
            account,
            NodeBuilder::new("notification")
                .attr("from", account.jid(Addressing::Number))
                .attr("lid", account.jid(Addressing::Hidden))
                .attr("id", clock::message_id())
                .attr("type", "devices")
                .attr("t", timestamp)
                .children([NodeBuilder::new(change).children(children).build()])
                .build(),
        );
    }
}

/// The connections of all companions that are online.
pub fn live_connections(account: &Account) -> Vec<Arc<Connection>> {
    account
        .devices()
        .values()
        .filter_map(|device| lock(&device.connection).clone())
        .collect()
}
