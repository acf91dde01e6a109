//! What waits for one device: stanzas stay here until the device acknowledges them.
//!
//! **Invariant:** a stanza leaves the mailbox only when its device acknowledged it (or was
//! unlinked), so a device that reconnects gets everything it has not acknowledged, in order.
//! Delivery is therefore at least once, as on WhatsApp.
//!
//! The mailbox is bounded by [`CAPACITY`]; past it the oldest stanza is dropped, as WhatsApp drops
//! what waited too long.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use wacore_binary::Node;

use crate::stanza::{attr, attr_is};

/// Stanzas kept for one device.
pub const CAPACITY: usize = 200_000;

/// The waiting stanzas of one device, in the order they came.
#[derive(Default)]
pub struct Mailbox {
    next: u64,
    waiting: BTreeMap<u64, Arc<Node>>,
    by_id: HashMap<String, Vec<u64>>,
}

impl Mailbox {
    /// Puts a stanza at the end and returns its place.
    pub fn push(&mut self, stanza: Arc<Node>) -> u64 {
        let place = self.next;
        self.next += 1;
        if let Some(id) = attr(&stanza, "id") {
            match self.by_id.get_mut(id.as_ref()) {
                Some(places) => places.push(place),
                None => {
                    self.by_id.insert(id.into_owned(), vec![place]);
                }
            }
        }
        self.waiting.insert(place, stanza);
        if self.waiting.len() > CAPACITY
            && let Some((oldest, _)) = self.waiting.first_key_value()
        {
            let oldest = *oldest;
            self.remove(oldest);
            tracing::warn!("a mailbox is full; its oldest stanza is dropped");
        }
        place
    }

    /// The first waiting stanza and its place.
    pub fn first(&self) -> Option<(u64, Arc<Node>)> {
        self.waiting
            .first_key_value()
            .map(|(place, stanza)| (*place, Arc::clone(stanza)))
    }

    /// Removes the stanza in this place.
    pub fn remove(&mut self, place: u64) -> bool {
        let Some(stanza) = self.waiting.remove(&place) else {
            return false;
        };
        if let Some(id) = attr(&stanza, "id")
            && let Some(places) = self.by_id.get_mut(id.as_ref())
        {
            places.retain(|other| *other != place);
            if places.is_empty() {
                self.by_id.remove(id.as_ref());
            }
        }
        true
    }

    /// The device acknowledged a stanza of this tag and id; `kind` narrows receipts of several
    /// types for one message. Removes the oldest that fits.
    pub fn acknowledge(&mut self, tag: &str, id: &str, kind: Option<&str>) -> bool {
        let Some(places) = self.by_id.get(id) else {
            return false;
        };
        let fits = |place: &&u64| {
            self.waiting
                .get(place)
                .is_some_and(|stanza| stanza.tag == tag && kind.is_none_or(|kind| attr_is(stanza, "type", kind)))
        };
        let exact = places.iter().find(fits).copied();
        let place = exact.or_else(|| {
            // Acks of receipts may come without the type; then any receipt of the message fits.
            (tag == "receipt").then(|| {
                places
                    .iter()
                    .find(|place| self.waiting.get(place).is_some_and(|stanza| stanza.tag == tag))
                    .copied()
            })?
        });
        place.is_some_and(|place| self.remove(place))
    }

    /// Every waiting stanza, oldest first.
    pub fn all(&self) -> Vec<Arc<Node>> {
        self.waiting.values().cloned().collect()
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wacore_binary::builder::NodeBuilder;

    fn stanza(tag: &'static str, id: &str, kind: Option<&str>) -> Arc<Node> {
        let mut builder = NodeBuilder::new(tag).attr("id", id);
        if let Some(kind) = kind {
            builder = builder.attr("type", kind);
        }
        Arc::new(builder.build())
    }

    #[test]
    fn stanzas_wait_in_order_until_acknowledged() {
        let mut mailbox = Mailbox::default();
        mailbox.push(stanza("message", "A", Some("text")));
        mailbox.push(stanza("message", "B", Some("text")));
        assert!(mailbox.acknowledge("message", "A", None));
        assert!(!mailbox.acknowledge("message", "A", None));
        assert_eq!(mailbox.len(), 1);
        assert_eq!(attr(&mailbox.first().unwrap().1, "id").unwrap(), "B");
    }

    #[test]
    fn a_receipt_is_acknowledged_by_its_type() {
        let mut mailbox = Mailbox::default();
        mailbox.push(stanza("receipt", "A", None));
        mailbox.push(stanza("receipt", "A", Some("read")));
        assert!(mailbox.acknowledge("receipt", "A", Some("read")));
        assert!(attr(&mailbox.first().unwrap().1, "type").is_none());
        assert!(mailbox.acknowledge("receipt", "A", None));
        assert_eq!(mailbox.len(), 0);
    }

    #[test]
    fn the_ack_of_a_message_leaves_receipts_of_the_same_id() {
        let mut mailbox = Mailbox::default();
        mailbox.push(stanza("receipt", "A", None));
        mailbox.push(stanza("message", "A", Some("text")));
        assert!(mailbox.acknowledge("message", "A", None));
        assert_eq!(mailbox.first().unwrap().1.tag, "receipt");
    }
}
