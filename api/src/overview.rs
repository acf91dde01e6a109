//! `overview`: the tenant's figures at a glance.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{NaiveTime, TimeZone, Utc};
use entity::{device, message};

use crate::{
    chats::{self, queries::ChatSearch},
    clock::Clock,
    devices,
    graphql::GqlError,
    messages,
    store::TenantScope,
};

/// The tenant's figures at a glance. Only what is asked for is counted.
pub struct Overview {
    scope: TenantScope,
}

impl Overview {
    pub fn of(scope: TenantScope) -> Self {
        Self { scope }
    }
}

/// The tenant's figures at a glance.
#[Object]
impl Overview {
    /// Devices by how they do.
    async fn devices(&self) -> Result<DeviceCounts, GqlError> {
        Ok(count_devices(devices::queries::count_by_status(&self.scope).await?))
    }

    /// Messages since midnight in the tenant's time zone.
    async fn messages_today(&self, ctx: &Context<'_>) -> Result<MessageCounts, GqlError> {
        let tenant = self.scope.find::<entity::tenant::Entity>().one().await?;
        let zone = tenant.map(|tenant| tenant.time_zone).unwrap_or_default();
        let since = midnight(ctx.data_unchecked::<Clock>(), &zone);
        Ok(count_messages(
            messages::queries::count_since(&self.scope, since).await?,
        ))
    }

    /// Chats with unread messages.
    async fn unread_chats(&self) -> Result<u64, GqlError> {
        let unread = ChatSearch {
            unread: Some(true),
            ..ChatSearch::default()
        };
        Ok(chats::queries::count(&self.scope, &unread).await?)
    }
}

/// Devices by how they do.
#[derive(Default, SimpleObject)]
pub struct DeviceCounts {
    /// All of them.
    pub total: i64,
    /// Messages flow.
    pub connected: i64,
    /// Somebody should look: degraded, disconnected, logged out, banned or failed.
    pub attention: i64,
}

/// Messages by how far they came. A read message counts as delivered and sent as well.
#[derive(Default, SimpleObject)]
pub struct MessageCounts {
    /// Came in.
    pub received: i64,
    /// WhatsApp's server took them.
    pub sent: i64,
    /// They reached the recipient's phone.
    pub delivered: i64,
    /// They were read.
    pub read: i64,
    /// They were not sent.
    pub failed: i64,
    /// They wait, or are on their way.
    pub waiting: i64,
}

/// When today began in a time zone. A zone that is not known, or a midnight that the clocks skipped, is read as UTC.
fn midnight(clock: &Clock, zone: &str) -> chrono::DateTime<Utc> {
    let zone: chrono_tz::Tz = zone.parse().unwrap_or(chrono_tz::UTC);
    let today = clock.now().with_timezone(&zone).date_naive().and_time(NaiveTime::MIN);
    zone.from_local_datetime(&today)
        .earliest()
        .map_or_else(|| today.and_utc(), |at| at.with_timezone(&Utc))
}

fn count_devices(rows: Vec<(device::Status, i64)>) -> DeviceCounts {
    use device::Status;
    let mut counts = DeviceCounts::default();
    for (status, count) in rows {
        counts.total += count;
        match status {
            Status::Connected => counts.connected += count,
            Status::Degraded | Status::Disconnected | Status::LoggedOut | Status::Banned | Status::Failed => {
                counts.attention += count;
            }
            Status::Created | Status::Connecting | Status::QrReady | Status::Pairing | Status::PasskeyRequired => {}
        }
    }
    counts
}

fn count_messages(rows: Vec<(message::Direction, message::Status, i64)>) -> MessageCounts {
    use message::Status;
    let mut counts = MessageCounts::default();
    for (direction, status, count) in rows {
        if direction == message::Direction::In {
            counts.received += count;
            continue;
        }
        match status {
            Status::Scheduled | Status::Queued | Status::Sending => counts.waiting += count,
            Status::Failed | Status::Expired => counts.failed += count,
            Status::Canceled | Status::Received => {}
            Status::Sent | Status::Delivered | Status::Read | Status::Played => {
                counts.sent += count;
                counts.delivered += if status == Status::Sent { 0 } else { count };
                counts.read += if matches!(status, Status::Read | Status::Played) {
                    count
                } else {
                    0
                };
            }
        }
    }
    counts
}
