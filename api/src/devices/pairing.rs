//! What is shown while a device is being linked: codes to scan and codes to type.
//!
//! They live in memory only: a code is worth an account while it is fresh, and nothing a minute later.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use entity::DeviceId;

/// A code to scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qr {
    /// What the picture says.
    pub text: String,
    /// When WhatsApp stops accepting it; a fresh one comes before.
    pub expires_at: DateTime<Utc>,
}

/// A code to type on the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingCode {
    /// Eight letters and digits.
    pub code: String,
    pub expires_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Default)]
struct Codes {
    qr: Option<Qr>,
    pairing_code: Option<PairingCode>,
}

/// The codes of the devices that are being linked on this node. Cheap to clone.
#[derive(Clone, Default)]
pub struct Linking {
    devices: Arc<Mutex<HashMap<DeviceId, Codes>>>,
}

impl Linking {
    /// The code to scan now.
    pub fn qr(&self, id: DeviceId, now: DateTime<Utc>) -> Option<Qr> {
        self.read(id)
            .and_then(|codes| codes.qr)
            .filter(|qr| qr.expires_at > now)
    }

    /// The code to type now.
    pub fn pairing_code(&self, id: DeviceId, now: DateTime<Utc>) -> Option<PairingCode> {
        self.read(id)
            .and_then(|codes| codes.pairing_code)
            .filter(|code| code.expires_at > now)
    }

    /// A fresh code to scan.
    pub fn set_qr(&self, id: DeviceId, qr: Qr) {
        self.change(id, |codes| codes.qr = Some(qr));
    }

    /// A fresh code to type.
    pub fn set_pairing_code(&self, id: DeviceId, code: PairingCode) {
        self.change(id, |codes| codes.pairing_code = Some(code));
    }

    /// Linking ended, one way or another.
    pub fn clear(&self, id: DeviceId) {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    fn read(&self, id: DeviceId) -> Option<Codes> {
        self.devices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    fn change(&self, id: DeviceId, change: impl FnOnce(&mut Codes)) {
        change(
            self.devices
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(id)
                .or_default(),
        );
    }
}
