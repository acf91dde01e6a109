//! Callers who wait for a message to get somewhere (`waitFor`).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use entity::{MessageId, message};
use sea_orm::DbErr;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::{queries, types::has_reached};
use crate::store::TenantScope;

/// How often a waiter looks by itself: another node may have written the change.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who waits for which message. Cheap to clone.
#[derive(Clone, Default)]
pub struct Waiting {
    waiters: Arc<Mutex<Waiters>>,
}

/// For each message how many wait, and how they are woken.
type Waiters = HashMap<MessageId, (usize, Arc<Notify>)>;

impl Waiting {
    /// A message has changed, and the change is committed.
    pub fn changed(&self, id: MessageId) {
        let waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, notify)) = waiters.get(&id) {
            notify.notify_waiters();
        }
    }

    /// Waits until the message has reached `wanted`, has ended, or the time is up. Answers it as it is then.
    pub async fn until(
        &self,
        scope: &TenantScope,
        id: MessageId,
        wanted: message::Status,
        patience: Duration,
    ) -> Result<Option<message::Model>, DbErr> {
        let deadline = Instant::now() + patience;
        let ticket = self.register(id);
        loop {
            let notified = ticket.notify.notified();
            tokio::pin!(notified);
            // Registered before the row is read: a change between the two wakes this one.
            notified.as_mut().enable();
            let row = queries::find(scope, id).await?;
            let done = row.as_ref().is_none_or(|row| has_reached(row.status, wanted));
            if done || Instant::now() >= deadline {
                return Ok(row);
            }
            let look = deadline.min(Instant::now() + LOOK_EVERY);
            let _ = timeout_at(look, notified).await;
        }
    }

    fn register(&self, id: MessageId) -> Ticket<'_> {
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, notify) = waiters.entry(id).or_default();
        *count += 1;
        Ticket {
            waiting: self,
            id,
            notify: notify.clone(),
        }
    }
}

/// One caller's place; it is given up however the wait ends.
struct Ticket<'a> {
    waiting: &'a Waiting,
    id: MessageId,
    notify: Arc<Notify>,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut waiters = self.waiting.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((count, _)) = waiters.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                waiters.remove(&self.id);
            }
        }
    }
}
