//! App state: the collections (mutes, pins, contacts …) a companion's patches change.
//!
//! The server cannot read patches; it numbers them and hands them to the other companions.

use std::collections::BTreeMap;

use buffa::Message as _;
use waproto::whatsapp as wa;

/// One collection: patches in order; the version is how many there were.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Collection {
    #[serde(with = "crate::storage::encoded_list")]
    pub patches: Vec<Vec<u8>>,
}

impl Collection {
    pub fn version(&self) -> u64 {
        self.patches.len() as u64
    }
}

/// The collections of an account, by name.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Collections(pub BTreeMap<String, Collection>);

/// A client's patch came on top of a version that is no longer the newest.
#[derive(Debug, PartialEq, Eq)]
pub struct Conflict;

impl Collections {
    pub fn version(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, Collection::version)
    }

    /// Appends a patch made on top of `base`; returns the new version.
    pub fn append(&mut self, name: &str, base: u64, patch: &[u8]) -> Result<u64, Conflict> {
        let collection = self.0.entry(name.to_owned()).or_default();
        if base != collection.version() {
            return Err(Conflict);
        }
        let version = base + 1;
        // The sender leaves the version out: the server gives it.
        let mut patch = wa::SyncdPatch::decode_from_slice(patch).map_err(|_| Conflict)?;
        patch.version = buffa::MessageField::some(wa::SyncdVersion { version: Some(version) });
        collection.patches.push(patch.encode_to_vec());
        Ok(version)
    }

    /// The patches after a version.
    pub fn after(&self, name: &str, version: u64) -> &[Vec<u8>] {
        let patches = self.0.get(name).map_or(&[][..], |collection| &collection.patches);
        patches
            .get(usize::try_from(version).unwrap_or(usize::MAX)..)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_on_an_old_version_conflicts() {
        let mut collections = Collections::default();
        let patch = wa::SyncdPatch::default().encode_to_vec();
        assert_eq!(collections.append("regular", 0, &patch), Ok(1));
        assert_eq!(collections.append("regular", 0, &patch), Err(Conflict));
        assert_eq!(collections.append("regular", 1, &patch), Ok(2));
        assert_eq!(collections.after("regular", 1).len(), 1);
        assert_eq!(collections.after("regular", 9).len(), 0);
        let stored = wa::SyncdPatch::decode_from_slice(&collections.after("regular", 1)[0]).unwrap();
        assert_eq!(stored.version.as_option().unwrap().version, Some(2));
    }
}
