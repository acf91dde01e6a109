//! Which sessions have to be durable before anything is sent with them.
//!
//! The library reserves counters of a sending chain in advance. A record that reserves more than the database knows of has
//! to be committed before the message that made it do so goes out: after a crash the same counter, and with it the same
//! key, would be used for another text. What decrypting changes may be lost: the next message derives it anew, from the
//! record before. The library flushes both alike, and nothing decrypts at a device while it waits for a flush.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use prost::Message as _;

/// More sessions than this are not remembered: they are durable once more.
const MOST: usize = 8192;

/// A stored session, as far as it matters here: protobuf, in libsignal's fields (`storage.proto`: `RecordStructure`,
/// `SessionStructure`), and one of the library's own, 100, of counters that may be on the wire.
#[derive(prost::Message)]
struct Record {
    #[prost(message, optional, tag = "1")]
    current: Option<Session>,
    #[prost(uint32, tag = "100")]
    reserved: u32,
}

#[derive(prost::Message)]
struct Session {
    #[prost(message, optional, tag = "6")]
    sender_chain: Option<Chain>,
}

#[derive(prost::Message)]
struct Chain {
    #[prost(bytes = "vec", tag = "1")]
    ratchet_key: Vec<u8>,
}

/// A sending chain, and how many of its counters may have been used.
#[derive(Debug, PartialEq, Eq)]
struct Reservation {
    chain: Vec<u8>,
    reserved: u32,
}

impl Reservation {
    /// `None` for what can't be read.
    fn of(record: &[u8]) -> Option<Self> {
        let record = Record::decode(record).ok()?;
        let chain = record.current.and_then(|session| session.sender_chain);
        Some(Self {
            chain: chain.map(|chain| chain.ratchet_key).unwrap_or_default(),
            reserved: record.reserved,
        })
    }
}

/// What the database is known to hold of one device's sessions, by address.
#[derive(Default)]
pub(super) struct Reservations {
    durable: Mutex<HashMap<Box<str>, Reservation>>,
}

impl Reservations {
    /// Whether the database has to hold this record before it is used. What was never seen here, or can't be read, has to.
    pub fn must_be_durable(&self, address: &str, record: &[u8]) -> bool {
        Reservation::of(record).is_none_or(|now| now.reserved > 0 && self.durable().get(address) != Some(&now))
    }

    /// This record took the place of the one before, and the database holds what it reserves.
    pub fn note(&self, address: &str, record: &[u8]) {
        let mut durable = self.durable();
        match Reservation::of(record).filter(|reservation| reservation.reserved > 0) {
            Some(reservation) => {
                if durable.len() >= MOST && !durable.contains_key(address) {
                    durable.clear();
                }
                durable.insert(address.into(), reservation);
            }
            None => {
                durable.remove(address);
            }
        }
    }

    fn durable(&self) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Reservation>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use wacore::libsignal::protocol::{
        SessionChainComponents, SessionChainKeyComponents, SessionComponents, SessionRecord, SessionRecordComponents,
    };

    use super::*;

    const ALICE: &str = "62811@s.whatsapp.net.0";

    /// A session as the library writes it, on the sending chain `chain`, after a message with the counter `spent`.
    fn session(chain: u8, spent: Option<u32>) -> Vec<u8> {
        let key = |byte: u8| Some([&[5], &[byte; 32][..]].concat());
        let sender_chain = SessionChainComponents {
            sender_ratchet_key: key(chain),
            sender_ratchet_key_private: Some(vec![chain; 32]),
            chain_key: Some(SessionChainKeyComponents {
                index: Some(0),
                key: Some(vec![9; 32]),
            }),
            ..Default::default()
        };
        let session = SessionComponents {
            session_version: Some(3),
            local_identity_public: key(1),
            remote_identity_public: key(2),
            root_key: Some(vec![3; 32]),
            sender_chain: Some(sender_chain),
            ..Default::default()
        };
        let mut record = SessionRecord::from_components(SessionRecordComponents {
            current_session: Some(session),
            previous_sessions: Vec::new(),
        })
        .expect("a session");
        if let Some(spent) = spent {
            record.reserve_sender_chain_counters(spent);
        }
        record.serialize().expect("serialized")
    }

    #[test]
    fn a_session_that_reserves_counters_has_to_be_durable() {
        let reservations = Reservations::default();
        let unused = session(7, None);
        assert!(
            !reservations.must_be_durable(ALICE, &unused),
            "nothing was sent with it"
        );

        let first = session(7, Some(0));
        assert!(reservations.must_be_durable(ALICE, &first));
        reservations.note(ALICE, &first);
        assert!(!reservations.must_be_durable(ALICE, &first), "the database has it");
        assert!(
            reservations.must_be_durable("62812@s.whatsapp.net.0", &first),
            "another's"
        );

        assert!(
            reservations.must_be_durable(ALICE, &session(7, Some(64))),
            "more counters"
        );
        assert!(
            reservations.must_be_durable(ALICE, &session(8, Some(0))),
            "as many counters of another chain"
        );
        assert!(reservations.must_be_durable(ALICE, b"\xff\xff"), "what can't be read");

        assert!(
            !reservations.must_be_durable(ALICE, &unused),
            "a chain that sent nothing"
        );
        reservations.note(ALICE, &unused);
        assert!(
            reservations.must_be_durable(ALICE, &first),
            "not what the database holds any more"
        );
    }
}
