//! Which messages were sent a moment ago, by the ids that WhatsApp calls them.
//!
//! Acks and receipts name a message by its WhatsApp id. Nearly all of them come within seconds, from the node that sent
//! the message: it need not ask the database which one is meant. What is not known here any more is found there.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use entity::{ChatId, DeviceId, MessageId};

/// Remembered at most, over all devices: about two megabytes.
const CAPACITY: usize = 16_384;

/// A message's own name, and its chat's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub id: MessageId,
    pub chat_id: ChatId,
}

type Name = (DeviceId, Arc<str>);

/// The newest messages of this node. Cheap to clone.
#[derive(Clone, Default)]
pub struct Recent(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    sent: HashMap<Name, Sent>,
    /// In the order in which they are forgotten.
    names: VecDeque<Name>,
}

impl Recent {
    /// Remembers what a device is about to send.
    pub fn remember<'a>(&self, device: DeviceId, messages: impl IntoIterator<Item = (&'a str, Sent)>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (whatsapp_id, sent) in messages {
            let name: Name = (device, whatsapp_id.into());
            if state.sent.insert(name.clone(), sent).is_none() {
                state.names.push_back(name);
            }
        }
        while state.names.len() > CAPACITY {
            if let Some(oldest) = state.names.pop_front() {
                state.sent.remove(&oldest);
            }
        }
    }

    /// Which of these messages of one device are known, and which are not.
    pub fn find<'a>(
        &self,
        device: DeviceId,
        whatsapp_ids: impl IntoIterator<Item = &'a str>,
    ) -> (Vec<(&'a str, Sent)>, Vec<&'a str>) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for whatsapp_id in whatsapp_ids {
            match state.sent.get(&(device, Arc::from(whatsapp_id))) {
                Some(sent) => known.push((whatsapp_id, *sent)),
                None => unknown.push(whatsapp_id),
            }
        }
        (known, unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::new_id;

    #[test]
    fn the_newest_are_known() {
        let (recent, device, other) = (Recent::default(), new_id(), new_id());
        let names: Vec<String> = (0..=CAPACITY).map(|number| number.to_string()).collect();
        let sent: Vec<Sent> = names
            .iter()
            .map(|_| Sent {
                id: new_id(),
                chat_id: new_id(),
            })
            .collect();
        recent.remember(device, names.iter().map(String::as_str).zip(sent.iter().copied()));
        let (known, unknown) = recent.find(device, ["0", "1", "16384", "x"]);
        assert_eq!(known, [("1", sent[1]), ("16384", sent[CAPACITY])]);
        assert_eq!(unknown, ["0", "x"]);
        assert_eq!(recent.find(other, ["1"]), (vec![], vec!["1"]));
    }
}
