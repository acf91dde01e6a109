//! Which messages were sent a moment ago, by the ids that WhatsApp calls them.
//!
//! Acks and receipts name a message by its WhatsApp id. Nearly all of them come within seconds, from the node that sent
//! the message: it need not ask the database which one is meant. What is not known here any more is found there.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use entity::{ChatId, DeviceId, MessageId, message::Status};

use super::types::has_reached;

/// Remembered at most, over all devices: about two megabytes.
const CAPACITY: usize = 16_384;

/// A message's own name, and its chat's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub id: MessageId,
    pub chat_id: ChatId,
}

/// What the database is known to hold of a message; it may be further.
#[derive(Clone, Copy, Debug)]
struct Known {
    sent: Sent,
    reached: Status,
}

type Name = (DeviceId, Arc<str>);

/// The newest messages of this node. Cheap to clone.
#[derive(Clone, Default)]
pub struct Recent(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    sent: HashMap<Name, Known>,
    /// In the order in which they are forgotten.
    names: VecDeque<Name>,
}

impl Recent {
    /// Remembers what a device is about to send.
    pub fn remember<'a>(&self, device: DeviceId, messages: impl IntoIterator<Item = (&'a str, Sent)>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (whatsapp_id, sent) in messages {
            let name: Name = (device, whatsapp_id.into());
            let known = Known {
                sent,
                reached: Status::Sending,
            };
            if state.sent.insert(name.clone(), known).is_none() {
                state.names.push_back(name);
            }
        }
        while state.names.len() > CAPACITY {
            if let Some(oldest) = state.names.pop_front() {
                state.sent.remove(&oldest);
            }
        }
    }

    /// Notes what these messages have reached in the database: what was committed, never before.
    pub fn reached<'a>(&self, messages: impl IntoIterator<Item = (DeviceId, &'a str, Status)>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (device, whatsapp_id, status) in messages {
            if let Some(known) = state.sent.get_mut(&(device, Arc::from(whatsapp_id)))
                && !has_reached(known.reached, status)
            {
                known.reached = status;
            }
        }
    }

    /// Which of these messages of one device are known, with what they have reached at least, and which are not.
    pub fn find<'a>(
        &self,
        device: DeviceId,
        whatsapp_ids: impl IntoIterator<Item = &'a str>,
    ) -> (Vec<(&'a str, Sent, Status)>, Vec<&'a str>) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for whatsapp_id in whatsapp_ids {
            match state.sent.get(&(device, Arc::from(whatsapp_id))) {
                Some(of) => known.push((whatsapp_id, of.sent, of.reached)),
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
        recent.reached([
            (device, "1", Status::Read),
            (device, "1", Status::Delivered),
            (device, "0", Status::Sent),
        ]);
        let (known, unknown) = recent.find(device, ["0", "1", "16384", "x"]);
        let expected = [("1", sent[1], Status::Read), ("16384", sent[CAPACITY], Status::Sending)];
        assert_eq!(known, expected);
        assert_eq!(unknown, ["0", "x"]);
        assert_eq!(recent.find(other, ["1"]), (vec![], vec!["1"]));
    }
}
