//! Group commit: work that arrives at the same moment shares one transaction.

use std::{collections::HashMap, future::Future, time::Duration};

use entity::TenantId;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// The batcher's task has ended: the server is shutting down.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the server is shutting down")]
pub struct Stopped;

/// Collects items and hands them to one function in batches. While a batch is being committed the next one fills, so
/// under load a commit carries many items and an idle system waits for nothing.
pub struct Batcher<T, R> {
    sender: mpsc::Sender<Entry<T, R>>,
}

enum Entry<T, R> {
    /// Something to do, and who is told.
    Item(T, oneshot::Sender<R>),
    /// Told when everything before it is done.
    Mark(oneshot::Sender<()>),
}

impl<T, R> Clone for Batcher<T, R> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
        }
    }
}

impl<T: Send + 'static, R: Send + 'static> Batcher<T, R> {
    /// Starts the task. Batches that follow each other closely begin `linger` apart at least, so that items which come all
    /// the time get company; after a pause an item waits for nothing. `largest` bounds a batch. `work` answers one result
    /// per item, in their order.
    pub fn start<F, W>(largest: usize, linger: Duration, work: W) -> Self
    where
        W: Fn(Vec<T>) -> F + Send + 'static,
        F: Future<Output = Vec<R>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(largest * 4);
        tokio::spawn(run(receiver, largest, linger, work));
        Self { sender }
    }

    /// Hands in an item and waits until its batch is done.
    pub async fn submit(&self, item: T) -> Result<R, Stopped> {
        self.enqueue(item).await?.await.map_err(|_| Stopped)
    }

    /// Hands in an item; the receiver tells when its batch is done. Waits while the queue is full.
    pub async fn enqueue(&self, item: T) -> Result<oneshot::Receiver<R>, Stopped> {
        let (done, receiver) = oneshot::channel();
        self.sender.send(Entry::Item(item, done)).await.map_err(|_| Stopped)?;
        Ok(receiver)
    }

    /// Waits until everything that was handed in before is done.
    pub async fn flushed(&self) {
        let (done, receiver) = oneshot::channel();
        if self.sender.send(Entry::Mark(done)).await.is_ok() {
            // The task answers every mark before it ends.
            let _ = receiver.await;
        }
    }
}

/// Splits a batch by tenant, since a transaction belongs to one. The order within a tenant is kept.
pub fn by_tenant<T>(items: Vec<T>, tenant_of: impl Fn(&T) -> TenantId) -> Vec<(TenantId, Vec<T>)> {
    let mut tenants: Vec<(TenantId, Vec<T>)> = Vec::new();
    let mut places: HashMap<TenantId, usize> = HashMap::new();
    for item in items {
        let tenant_id = tenant_of(&item);
        let place = *places.entry(tenant_id).or_insert_with(|| {
            tenants.push((tenant_id, Vec::new()));
            tenants.len() - 1
        });
        tenants[place].1.push(item);
    }
    tenants
}

async fn run<T, R, F, W>(mut receiver: mpsc::Receiver<Entry<T, R>>, largest: usize, linger: Duration, work: W)
where
    W: Fn(Vec<T>) -> F,
    F: Future<Output = Vec<R>>,
{
    let mut waiting = Vec::with_capacity(largest);
    let mut next = Instant::now();
    while receiver.recv_many(&mut waiting, largest).await > 0 {
        if waiting.len() < largest && next > Instant::now() {
            tokio::time::sleep_until(next).await;
            while waiting.len() < largest {
                let Ok(entry) = receiver.try_recv() else { break };
                waiting.push(entry);
            }
        }
        let (mut items, mut answers, mut marks) = (Vec::new(), Vec::new(), Vec::new());
        for entry in waiting.drain(..) {
            match entry {
                Entry::Item(item, answer) => {
                    items.push(item);
                    answers.push(answer);
                }
                Entry::Mark(mark) => marks.push(mark),
            }
        }
        if !items.is_empty() {
            for (answer, result) in answers.into_iter().zip(work(items).await) {
                // Whoever asked may have gone away; the work is done all the same.
                let _ = answer.send(result);
            }
        }
        for mark in marks {
            let _ = mark.send(());
        }
        next = Instant::now() + linger;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn items_of_one_moment_share_a_batch_and_keep_their_order() {
        let batcher = Batcher::start(16, Duration::from_millis(5), |items: Vec<u32>| async move {
            let size = items.len();
            items.into_iter().map(|item| (item, size)).collect()
        });
        let results = futures::future::join_all((0..10).map(|item| batcher.submit(item))).await;
        for (expected, result) in (0..10).zip(results) {
            let (item, size) = result.expect("the batcher runs");
            assert_eq!(item, expected);
            assert!(size > 1);
        }
    }
}
