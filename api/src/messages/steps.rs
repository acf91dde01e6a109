//! What a batch of acks and receipts amounts to: which messages have come how far. Pure.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::{DeviceId, message};

use crate::engine::ReceiptKind;

/// What was heard about messages that went out.
#[derive(Clone, Debug)]
pub enum Heard {
    /// The server took it.
    Acked { whatsapp_id: String },
    /// The server refused it.
    Nacked {
        whatsapp_id: String,
        code: i32,
        reason: String,
    },
    /// A recipient did something with them; in a group, which one.
    Receipt {
        participant: Option<String>,
        whatsapp_ids: Vec<String>,
        kind: ReceiptKind,
    },
}

/// Something that one device heard.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub device_id: DeviceId,
    pub at: DateTime<Utc>,
    pub heard: &'a Heard,
}

impl<'a> Told<'a> {
    fn named(&self, whatsapp_id: &'a str) -> Named<'a> {
        Named {
            device_id: self.device_id,
            whatsapp_id,
        }
    }
}

/// A message as WhatsApp names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Named<'a> {
    pub device_id: DeviceId,
    pub whatsapp_id: &'a str,
}

/// Messages that reached a state in the same second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    pub status: message::Status,
    pub at: DateTime<Utc>,
    pub messages: Vec<Named<'a>>,
}

/// What the server took in this batch.
pub fn acknowledged<'a>(told: &[Told<'a>]) -> HashSet<Named<'a>> {
    let taken = told.iter().filter_map(|told| match told.heard {
        Heard::Acked { whatsapp_id } => Some(told.named(whatsapp_id)),
        _ => None,
    });
    taken.collect()
}

/// The updates that a batch amounts to, in the order in which states follow each other. A message that was taken and
/// delivered within one batch is updated once; both are told.
pub fn steps<'a>(told: &[Told<'a>]) -> Vec<Step<'a>> {
    let mut received: HashSet<Named<'a>> = HashSet::new();
    for told in told {
        if let Heard::Receipt { whatsapp_ids, .. } = told.heard {
            received.extend(whatsapp_ids.iter().map(|id| told.named(id)));
        }
    }
    let mut steps: Vec<Step<'a>> = Vec::new();
    for told in told {
        let (status, whatsapp_ids) = match told.heard {
            Heard::Acked { whatsapp_id } if received.contains(&told.named(whatsapp_id)) => continue,
            Heard::Acked { whatsapp_id } => (message::Status::Sent, std::slice::from_ref(whatsapp_id)),
            Heard::Receipt { whatsapp_ids, kind, .. } => (status_of(*kind), whatsapp_ids.as_slice()),
            Heard::Nacked { .. } => continue,
        };
        let messages = whatsapp_ids.iter().map(|id| told.named(id));
        // WhatsApp tells times to the second: what it tells of one second is one update.
        let known = steps
            .iter_mut()
            .find(|step| step.status == status && step.at.timestamp() == told.at.timestamp());
        match known {
            Some(step) => step.messages.extend(messages),
            None => steps.push(Step {
                status,
                at: told.at,
                messages: messages.collect(),
            }),
        }
    }
    steps.sort_by_key(|step| (rank(step.status), step.at));
    steps
}

const fn status_of(kind: ReceiptKind) -> message::Status {
    match kind {
        ReceiptKind::Delivered => message::Status::Delivered,
        ReceiptKind::Read => message::Status::Read,
        ReceiptKind::Played => message::Status::Played,
    }
}

const fn rank(status: message::Status) -> u8 {
    match status {
        message::Status::Sent => 0,
        message::Status::Delivered => 1,
        message::Status::Read => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::new_id;

    fn second(number: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(number, 0).expect("a moment")
    }

    fn acked(whatsapp_id: &str) -> Heard {
        Heard::Acked {
            whatsapp_id: whatsapp_id.to_owned(),
        }
    }

    fn receipt(kind: ReceiptKind, whatsapp_ids: &[&str]) -> Heard {
        Heard::Receipt {
            participant: None,
            whatsapp_ids: whatsapp_ids.iter().map(|id| (*id).to_owned()).collect(),
            kind,
        }
    }

    /// What the steps are, without the device.
    fn amount(told: &[Told<'_>]) -> Vec<(message::Status, i64, Vec<String>)> {
        let of = |step: Step<'_>| {
            let ids = step.messages.iter().map(|named| named.whatsapp_id.to_owned());
            (step.status, step.at.timestamp(), ids.collect())
        };
        steps(told).into_iter().map(of).collect()
    }

    #[test]
    fn a_message_that_was_taken_and_delivered_is_updated_once() {
        let device_id: DeviceId = new_id();
        let heard = [acked("A"), acked("B"), receipt(ReceiptKind::Delivered, &["A"])];
        let told: Vec<Told<'_>> = heard
            .iter()
            .map(|heard| Told {
                device_id,
                at: second(1),
                heard,
            })
            .collect();
        let expected = [
            (message::Status::Sent, 1, vec!["B".to_owned()]),
            (message::Status::Delivered, 1, vec!["A".to_owned()]),
        ];
        assert_eq!(amount(&told), expected);
        let both = ["A", "B"].map(|whatsapp_id| Named { device_id, whatsapp_id });
        assert_eq!(
            acknowledged(&told),
            HashSet::from(both),
            "both were taken, and both are told"
        );
    }

    #[test]
    fn another_devices_message_of_the_same_name_is_another_message() {
        let heard = [acked("A"), receipt(ReceiptKind::Delivered, &["A"])];
        let told: Vec<Told<'_>> = heard
            .iter()
            .map(|heard| Told {
                device_id: new_id(),
                at: second(1),
                heard,
            })
            .collect();
        let statuses: Vec<message::Status> = steps(&told).iter().map(|step| step.status).collect();
        assert_eq!(statuses, [message::Status::Sent, message::Status::Delivered]);
    }

    #[test]
    fn what_happened_in_one_second_is_one_step_and_states_follow_each_other() {
        let device_id: DeviceId = new_id();
        let heard = [
            (2, receipt(ReceiptKind::Read, &["A"])),
            (1, receipt(ReceiptKind::Delivered, &["A"])),
            (1, receipt(ReceiptKind::Delivered, &["B", "C"])),
            (3, receipt(ReceiptKind::Played, &["A"])),
            (2, receipt(ReceiptKind::Delivered, &["D"])),
        ];
        let told: Vec<Told<'_>> = heard
            .iter()
            .map(|(at, heard)| Told {
                device_id,
                at: second(*at),
                heard,
            })
            .collect();
        let names = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let expected = [
            (message::Status::Delivered, 1, names(&["A", "B", "C"])),
            (message::Status::Delivered, 2, names(&["D"])),
            (message::Status::Read, 2, names(&["A"])),
            (message::Status::Played, 3, names(&["A"])),
        ];
        assert_eq!(amount(&told), expected);
    }

    #[test]
    fn a_refusal_is_no_step() {
        let nacked = Heard::Nacked {
            whatsapp_id: "A".to_owned(),
            code: 463,
            reason: String::new(),
        };
        let told = Told {
            device_id: new_id(),
            at: second(1),
            heard: &nacked,
        };
        assert_eq!(steps(&[told]), []);
    }
}
