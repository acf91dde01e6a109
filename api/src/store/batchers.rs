//! Group commits beside each other.

use std::sync::Arc;

use entity::DeviceId;

use super::{Batcher, Store};

/// As many batchers as the database lets write at the same time. What belongs to one device goes through one of them, in
/// its order.
pub struct Batchers<T, R> {
    all: Arc<[Batcher<T, R>]>,
}

impl<T, R> Clone for Batchers<T, R> {
    fn clone(&self) -> Self {
        Self {
            all: Arc::clone(&self.all),
        }
    }
}

impl<T: Send + 'static, R: Send + 'static> Batchers<T, R> {
    /// Starts them, each made by `batcher`.
    pub fn start(store: &Store, batcher: impl Fn() -> Batcher<T, R>) -> Self {
        Self {
            all: (0..store.writers()).map(|_| batcher()).collect(),
        }
    }

    /// The batcher of a device.
    pub fn of(&self, device: DeviceId) -> &Batcher<T, R> {
        // The last byte of an id is random.
        let [.., last] = *device.0.as_bytes();
        &self.all[usize::from(last) % self.all.len()]
    }

    /// Waits until everything that was handed in before is done.
    pub async fn flushed(&self) {
        for one in &*self.all {
            one.flushed().await;
        }
    }
}
