//! Waiting for conditions, never for times.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Longer than anything takes on a busy machine; a test that reaches it has failed.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer.
pub async fn eventually<T, F>(what: &str, ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    within(DEADLINE, what, ask).await
}

/// Like [`eventually`] with a deadline of one's own.
pub async fn within<T, F>(deadline: Duration, what: &str, mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let end = Instant::now() + deadline;
    let mut pause = Duration::from_millis(5);
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() >= end {
            bail!("gave up after {deadline:?} waiting until {what}");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}
