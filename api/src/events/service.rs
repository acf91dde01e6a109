//! Following the log.

use entity::event;
use sea_orm::DbErr;
use tokio::sync::watch;

use super::{Bus, EventFilter, queries};
use crate::{
    graphql::{
        GqlError,
        pagination::{Page, Rows},
    },
    store::TenantScope,
};

/// How many events are read at once.
const BATCH: u64 = 256;

/// The newest number of the tenant's log.
pub async fn head(scope: &TenantScope) -> Result<i64, DbErr> {
    queries::newest(scope).await
}

/// One page of the log, oldest first.
pub async fn list(scope: &TenantScope, filter: &EventFilter, page: Page<i64>) -> Result<Rows<event::Model>, GqlError> {
    let query = scope.find::<event::Entity>().filter(queries::condition(filter));
    let rows = page.seek(query, event::Column::Sequence, true).all().await?;
    Ok(page.cut(rows))
}

/// Follows a tenant's log from a place in it: first what is there, then what comes.
pub struct Follow {
    scope: TenantScope,
    filter: EventFilter,
    /// Everything up to here has been given out or left out by the filter.
    position: i64,
    newest: watch::Receiver<i64>,
}

impl Follow {
    /// Begins after `after`, or with what happens from now on.
    pub async fn begin(scope: TenantScope, bus: &Bus, filter: EventFilter, after: Option<i64>) -> Result<Self, DbErr> {
        // Listen before reading: what is written between the two is announced.
        let newest = bus.listen(scope.tenant_id());
        let position = match after {
            Some(after) => after,
            None => queries::newest(&scope).await?,
        };
        Ok(Self {
            scope,
            filter,
            position,
            newest,
        })
    }

    /// The next events, in order; waits until there are some.
    pub async fn next(&mut self) -> Result<Vec<event::Model>, DbErr> {
        loop {
            self.newest.mark_unchanged();
            // Numbers are committed in order, since the tenant's row is locked from taking one to the commit: whatever
            // is at or below the newest visible number is visible as well.
            let until = queries::newest(&self.scope).await?;
            if until > self.position {
                let events = queries::after(&self.scope, self.position, until, &self.filter, BATCH).await?;
                self.position = match events.last() {
                    Some(last) if events.len() as u64 == BATCH => last.sequence,
                    _ => until,
                };
                if !events.is_empty() {
                    return Ok(events);
                }
            } else if self.newest.changed().await.is_err() {
                // The bus lives as long as the server: wait for the end of the process.
                std::future::pending::<()>().await;
            }
        }
    }
}
