//! Writes that must not be given up: what WhatsApp told us once.

use std::time::Duration;

use sea_orm::{DbErr, SqlErr};

use super::Store;

/// Whether something unique that was to be written is there already.
pub fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Runs `write` until it succeeds. While the database is away it waits for it; a write that fails although the database
/// answers is tried three times, since a serialization conflict passes, and then given up with its error.
pub async fn until_written<T, F>(store: &Store, mut write: impl FnMut() -> F) -> Result<T, DbErr>
where
    F: Future<Output = Result<T, DbErr>>,
{
    let mut failures = 0;
    let mut pause = Duration::from_millis(50);
    loop {
        match write().await {
            Ok(value) => return Ok(value),
            Err(error) => {
                if store.ping().await.is_ok() {
                    failures += 1;
                    if failures == 3 {
                        return Err(error);
                    }
                } else {
                    tracing::warn!(%error, "the database is away; waiting for it");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
        }
    }
}
