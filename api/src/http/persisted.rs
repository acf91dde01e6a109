//! Persisted queries: a client sends the hash of a document it has sent before, in the document's place.
//!
//! The protocol is Apollo's "automatic persisted queries", version 1, as most GraphQL clients speak it: `extensions:
//! { persistedQuery: { version: 1, sha256Hash } }`. With a document, the document is remembered; without one it is looked
//! up, and when it is not known the answer is PERSISTED_QUERY_NOT_FOUND, after which the client sends both.
//!
//! It saves bytes on the way in and is no list of what may be asked: a document is checked every time as if it had been
//! sent.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Request, Value};
use lru::LruCache;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::graphql::limits::Refused;

/// Documents are remembered up to so many bytes together; the one that was not used for longest goes first.
const MOST_BYTES: usize = 8 << 20;

type Hash = [u8; 32];

/// The documents of this node. Cheap to clone.
#[derive(Clone)]
pub struct Persisted(Arc<Mutex<State>>);

struct State {
    documents: LruCache<Hash, Arc<str>>,
    bytes: usize,
}

/// A document that came with its hash.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    hash: Hash,
    document: Arc<str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    version: i64,
    sha256_hash: String,
}

impl Default for Persisted {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            documents: LruCache::unbounded(),
            bytes: 0,
        })))
    }
}

impl Persisted {
    /// Puts the document into a request that has only its hash. Answers a document that may be remembered, see
    /// [`Persisted::keep`].
    pub fn resolve(&self, request: &mut Request) -> Result<Option<Offer>, Refused> {
        let Some(extension) = request.extensions.remove("persistedQuery") else {
            return Ok(None);
        };
        let hash = read(extension)?;
        if request.query.is_empty() {
            let found = self.state().documents.get(&hash).cloned();
            let found = found.ok_or_else(|| refusal("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"))?;
            request.query = found.to_string();
            return Ok(None);
        }
        if Sha256::digest(request.query.as_bytes()).as_slice() != hash {
            return Err(refusal("BAD_REQUEST", "provided sha does not match query"));
        }
        Ok(Some(Offer {
            hash,
            document: request.query.as_str().into(),
        }))
    }

    /// Remembers a document. Only for callers who are known, and documents that were admitted: strangers cannot drive
    /// out what others use.
    pub fn keep(&self, offer: Offer) {
        let mut state = self.state();
        state.bytes += offer.document.len();
        if let Some(same) = state.documents.put(offer.hash, offer.document) {
            state.bytes -= same.len();
        }
        while state.bytes > MOST_BYTES {
            let Some((_, oldest)) = state.documents.pop_lru() else {
                break;
            };
            state.bytes -= oldest.len();
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(extension: Value) -> Result<Hash, Refused> {
    let malformed = || {
        refusal(
            "BAD_REQUEST",
            "`extensions.persistedQuery` must have `version: 1` and `sha256Hash`, 64 hexadecimal digits.",
        )
    };
    let Extension { version, sha256_hash } = async_graphql::from_value(extension).map_err(|_| malformed())?;
    if version != 1 {
        return Err(refusal("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported"));
    }
    let mut hash = Hash::default();
    hex::decode_to_slice(sha256_hash, &mut hash).map_err(|_| malformed())?;
    Ok(hash)
}

fn refusal(code: &'static str, message: &str) -> Refused {
    Refused {
        code,
        message: message.to_owned(),
        position: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str, hash: &str) -> Request {
        let mut request = Request::new(query);
        let extension = async_graphql::value!({ "version": 1, "sha256Hash": hash });
        request.extensions.insert("persistedQuery".to_owned(), extension);
        request
    }

    fn hash_of(query: &str) -> String {
        hex::encode(Sha256::digest(query.as_bytes()))
    }

    #[test]
    fn a_document_is_found_by_its_hash_once_it_was_kept() {
        let persisted = Persisted::default();
        let (query, hash) = ("{ viewer { id } }", hash_of("{ viewer { id } }"));
        let unknown = persisted.resolve(&mut request("", &hash)).unwrap_err();
        assert_eq!(unknown.code, "PERSISTED_QUERY_NOT_FOUND");
        let offer = persisted.resolve(&mut request(query, &hash)).unwrap().unwrap();
        assert!(persisted.resolve(&mut request("", &hash)).is_err(), "not kept yet");
        persisted.keep(offer);
        let mut found = request("", &hash);
        assert_eq!(persisted.resolve(&mut found).unwrap(), None);
        assert_eq!(found.query, query);
    }

    #[test]
    fn a_hash_of_something_else_is_refused() {
        let persisted = Persisted::default();
        for hash in [hash_of("{ other }").as_str(), "", "zz", &"z".repeat(64)] {
            let refused = persisted.resolve(&mut request("{ viewer { id } }", hash)).unwrap_err();
            assert_eq!(refused.code, "BAD_REQUEST");
        }
        let mut later = Request::new("");
        let extension = async_graphql::value!({ "version": 2, "sha256Hash": hash_of("") });
        later.extensions.insert("persistedQuery".to_owned(), extension);
        assert_eq!(
            persisted.resolve(&mut later).unwrap_err().code,
            "PERSISTED_QUERY_NOT_SUPPORTED"
        );
    }

    #[test]
    fn the_oldest_go_when_it_is_too_much() {
        let persisted = Persisted::default();
        let keep = |number: usize| {
            let query = format!("{number}{}", " ".repeat(1 << 20));
            let hash = hash_of(&query);
            persisted.keep(persisted.resolve(&mut request(&query, &hash)).unwrap().unwrap());
            hash
        };
        let hashes: Vec<String> = (0..9).map(keep).collect();
        assert!(persisted.resolve(&mut request("", &hashes[0])).is_err());
        assert!(persisted.resolve(&mut request("", &hashes[8])).is_ok());
    }
}
