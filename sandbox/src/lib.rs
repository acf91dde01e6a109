//! A WhatsApp network in a box: the real wire protocol, with simulated phones.
//!
//! The API below is settled; the network behind it is being built, and calls answer
//! [`SandboxError::Closed`] until it is there.

mod error;
mod views;

use std::net::SocketAddr;

pub use error::SandboxError;
pub use views::{
    Behavior, BehaviorPatch, Disruption, Group, LinkedDevice, NetworkConfig, NetworkEvent,
    NetworkStats, Phone, Received, Reply, Target,
};

/// A running network; clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Network;

impl Network {
    /// Listens and serves until [`Network::shutdown`].
    pub async fn start(config: NetworkConfig) -> Result<Self, SandboxError> {
        let _ = config;
        Err(SandboxError::Closed)
    }

    /// `ws://127.0.0.1:PORT/ws/chat`.
    pub fn url(&self) -> String {
        String::new()
    }

    /// Where it listens; the media host is plain http on the same port, below `/mms/`.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    /// Closes every connection and writes the state to disk.
    pub async fn shutdown(&self) {}

    pub fn create_phone(
        &self,
        number: &str,
        name: Option<&str>,
        behavior: Behavior,
    ) -> Result<Phone, SandboxError> {
        let _ = (number, name, behavior);
        Err(SandboxError::Closed)
    }

    pub fn phones(&self) -> Vec<Phone> {
        Vec::new()
    }

    pub fn phone(&self, number: &str) -> Option<Phone> {
        let _ = number;
        None
    }

    /// The phone scans a QR code; returns when the new device has logged in.
    pub async fn scan_qr(&self, number: &str, qr: &str) -> Result<LinkedDevice, SandboxError> {
        let _ = (number, qr);
        Err(SandboxError::Closed)
    }

    /// The phone's user types the eight characters a client shows.
    pub async fn enter_pairing_code(
        &self,
        number: &str,
        code: &str,
    ) -> Result<LinkedDevice, SandboxError> {
        let _ = (number, code);
        Err(SandboxError::Closed)
    }

    /// The phone writes a text; returns the message id.
    pub async fn send_text(
        &self,
        from: &str,
        to: Target,
        text: &str,
    ) -> Result<String, SandboxError> {
        let _ = (from, to, text);
        Err(SandboxError::Closed)
    }

    pub fn set_behavior(&self, number: &str, patch: BehaviorPatch) -> Result<Phone, SandboxError> {
        let _ = (number, patch);
        Err(SandboxError::Closed)
    }

    pub async fn disrupt(
        &self,
        number: &str,
        disruption: Disruption,
    ) -> Result<Phone, SandboxError> {
        let _ = (number, disruption);
        Err(SandboxError::Closed)
    }

    /// The ledger in order, from after a sequence number.
    pub fn received(
        &self,
        number: &str,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Received>, SandboxError> {
        let _ = (number, after, limit);
        Err(SandboxError::Closed)
    }

    pub fn received_count(&self, number: &str) -> usize {
        let _ = number;
        0
    }

    /// The phone's user opens the chat: read receipts for these messages.
    pub async fn mark_read(
        &self,
        number: &str,
        whatsapp_ids: &[String],
    ) -> Result<(), SandboxError> {
        let _ = (number, whatsapp_ids);
        Err(SandboxError::Closed)
    }

    pub async fn create_group(
        &self,
        owner: &str,
        subject: &str,
        participants: &[String],
    ) -> Result<Group, SandboxError> {
        let _ = (owner, subject, participants);
        Err(SandboxError::Closed)
    }

    /// The groups this number is a member of.
    pub fn groups(&self, number: &str) -> Vec<Group> {
        let _ = number;
        Vec::new()
    }

    /// What happens from now on. A subscriber that lags loses the oldest events.
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<NetworkEvent> {
        tokio::sync::broadcast::channel(1).1
    }

    pub fn stats(&self) -> NetworkStats {
        NetworkStats::default()
    }
}
