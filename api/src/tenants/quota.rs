//! Where quota is checked: [`Quota::reserve`], in the transaction of what it guards.
//!
//! Two kinds of meters. *Windows* (messages, campaign recipients) and what other parts keep (contacts, media) have a row
//! per window in `quota_usage` that is raised in the transaction. *Counted* meters (devices, members) are read from
//! their own tables under the lock of such a row, so that they can never drift.
//!
//! **Invariant:** parallel requests cannot overshoot. Raising the row takes its lock until the transaction ends, on
//! Postgres by the row, on SQLite by the one writer; whoever comes second sees what the first has taken.
//!
//! **Invariant:** what is undone is not used: a reservation commits or rolls back with what it guards.
//!
//! Beside its limits a tenant sees its usage over time (`usage.rs`): the days of `quota_usage` stay, and what is counted or
//! has no limit is written down by day in the same transaction.
//!
//! A message counts when it is accepted and is given back when it is canceled before its first attempt; one that failed
//! was work and stays counted, and trying it again costs nothing. Retried and repeated requests with a known
//! idempotency key reserve nothing.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{device, event, membership, quota_usage};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DbErr, ExprTrait,
    sea_query::{Expr, OnConflict},
};
use serde_json::json;

use super::{
    limits::{Meter, Span},
    profile::Profile,
    usage::Noted,
};
use crate::{
    events::NewEvent,
    graphql::{ErrorCode, Refusal, UserError},
    store::{TenantScope, TenantTx},
};

/// Percentages that are warned of, once per window each.
const WARNINGS: [i16; 2] = [80, 100];
/// The tenant's own usage, not that of one of its tokens.
pub(super) const OWN: &str = "";

/// A tenant's quota at a moment.
#[derive(Clone, Debug)]
pub struct Quota {
    pub(super) profile: Arc<Profile>,
    pub(super) now: DateTime<Utc>,
}

/// A limit that does not allow more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which.
    pub meter: Meter,
    /// How much is allowed.
    pub limit: i64,
    /// How much was used before.
    pub used: i64,
    /// When the window ends, if it ever does.
    pub resets_at: Option<DateTime<Utc>>,
}

/// What a reservation gave.
#[derive(Clone, Debug, Default)]
pub struct Reservation {
    /// How many of those asked for.
    pub granted: u64,
    /// Which limit stood against the rest.
    pub exceeded: Option<Exceeded>,
    /// Warnings, to be committed with the change.
    pub warnings: Vec<NewEvent>,
}

/// How much of a limit is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of what.
    pub meter: Meter,
    /// How much is allowed; none is no limit.
    pub limit: Option<i64>,
    /// How much is used.
    pub used: i64,
    /// When it begins anew, if it ever does.
    pub resets_at: Option<DateTime<Utc>>,
}

/// What is counted in its own table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub devices: i64,
    pub members: i64,
}

impl From<Exceeded> for UserError {
    fn from(exceeded: Exceeded) -> Self {
        let Exceeded { meter, limit, used, .. } = exceeded;
        let message = format!("Your plan allows {limit} {}; {used} are used.", meter.noun());
        let mut error = Self::new(ErrorCode::QuotaExceeded, message);
        error.retry_at = exceeded.resets_at;
        error.details = Some(json!({ "meter": graphql_name(meter), "limit": limit, "used": used }));
        error
    }
}

impl Quota {
    /// A tenant's quota now.
    pub fn new(profile: Arc<Profile>, now: DateTime<Utc>) -> Self {
        Self { profile, now }
    }

    /// Takes `count` of a meter, or refuses with QUOTA_EXCEEDED. The warnings belong to the events of the same commit.
    pub async fn reserve(&self, tx: &TenantTx, meter: Meter, count: u64) -> Result<Vec<NewEvent>, Refusal> {
        let reservation = self.reserve_up_to(tx, &[meter], count).await?;
        match reservation.exceeded {
            None => Ok(reservation.warnings),
            Some(exceeded) => Err(UserError::from(exceeded).into()),
        }
    }

    /// Refuses with QUOTA_EXCEEDED when there would be no room for `count`, and takes nothing: for what leads to a
    /// reservation later. Only for what exists now.
    pub async fn check_room(&self, tx: &TenantTx, meter: Meter, count: u64) -> Result<(), Refusal> {
        let (Some(limit), Some(used)) = (self.profile.limits.get(meter), counted(tx, meter).await?) else {
            return Ok(());
        };
        let wanted = i64::try_from(count).unwrap_or(i64::MAX);
        if limit - used >= wanted {
            return Ok(());
        }
        let exceeded = Exceeded {
            meter,
            limit,
            used,
            resets_at: None,
        };
        Err(UserError::from(exceeded).into())
    }

    /// Takes as many of `count` as every one of the meters allows.
    pub async fn reserve_up_to(&self, tx: &TenantTx, meters: &[Meter], count: u64) -> Result<Reservation, DbErr> {
        let wanted = i64::try_from(count).unwrap_or(i64::MAX);
        if wanted == 0 {
            return Ok(Reservation::default());
        }
        // One statement for all: their locks are always taken in the same order.
        let rows = self.raise(tx, meters, wanted).await?;
        let mut usages = Vec::with_capacity(rows.len());
        for (meter, row) in rows {
            let before = match counted(tx, meter).await? {
                Some(count) => count,
                None => row.used - wanted,
            };
            usages.push((meter, row, before));
        }
        let mut granted = wanted;
        let mut exceeded = None;
        for (meter, _, before) in &usages {
            let Some(limit) = self.profile.limits.get(*meter) else {
                continue;
            };
            let room = (limit - before).clamp(0, wanted);
            if room < granted {
                granted = room;
                exceeded = Some(Exceeded {
                    meter: *meter,
                    limit,
                    used: *before,
                    resets_at: meter.span().end(self.now, self.profile.time_zone),
                });
            }
        }
        if granted < wanted {
            self.lower(tx, meters, wanted - granted, self.now).await?;
        }
        let mut warnings = Vec::new();
        for (meter, row, before) in usages {
            if is_counted(meter) {
                self.note(tx, meter.key(), Noted::Standing(before + granted)).await?;
            }
            warnings.extend(self.warn(tx, meter, &row, before + granted).await?);
        }
        Ok(Reservation {
            granted: u64::try_from(granted).unwrap_or(0),
            exceeded,
            warnings,
        })
    }

    /// Gives back what was taken at `taken_at` and not used. Nothing is given back to a window that has ended.
    pub async fn release(
        &self,
        tx: &TenantTx,
        meters: &[Meter],
        count: u64,
        taken_at: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        self.lower(tx, meters, i64::try_from(count).unwrap_or(0), taken_at)
            .await
    }

    /// How much of every limit is used.
    pub async fn usage(&self, scope: &TenantScope) -> Result<Vec<Usage>, DbErr> {
        let query = scope.find::<quota_usage::Entity>().filter(self.running());
        let rows = query.all().await?;
        let standing = Standing {
            devices: count(scope.find::<device::Entity>().count().await?),
            members: count(scope.find::<membership::Entity>().count().await?),
        };
        Ok(self.usages(&rows, standing))
    }

    /// The rows of the windows that run now.
    pub(super) fn running(&self) -> Condition {
        use quota_usage::Column;
        let windows = Meter::ALL.into_iter().fold(Condition::any(), |windows, meter| {
            let of_meter = Column::Meter.eq(meter.key());
            windows.add(of_meter.and(Column::Window.eq(self.window(meter, self.now))))
        });
        Condition::all().add(Column::Subject.eq(OWN)).add(windows)
    }

    /// How much of every limit is used, from the rows of [`Quota::running`] and what was counted.
    pub(super) fn usages(&self, rows: &[quota_usage::Model], standing: Standing) -> Vec<Usage> {
        let usage = |meter: Meter| Usage {
            meter,
            limit: self.profile.limits.get(meter),
            used: match meter {
                Meter::Devices => standing.devices,
                Meter::Members => standing.members,
                _ => rows
                    .iter()
                    .find(|row| row.meter == meter.key())
                    .map_or(0, |row| row.used),
            },
            resets_at: meter.span().end(self.now, self.profile.time_zone),
        };
        Meter::ALL.into_iter().map(usage).collect()
    }

    fn window(&self, meter: Meter, at: DateTime<Utc>) -> i64 {
        meter.span().window(at, self.profile.time_zone)
    }

    /// Raises the rows of the meters; a counted meter's is only locked.
    async fn raise(
        &self,
        tx: &TenantTx,
        meters: &[Meter],
        count: i64,
    ) -> Result<Vec<(Meter, quota_usage::Model)>, DbErr> {
        use quota_usage::{ActiveModel, Column, Entity};
        let rows = meters.iter().map(|meter| ActiveModel {
            tenant_id: Set(tx.tenant_id()),
            subject: Set(OWN.to_owned()),
            meter: Set(meter.key().to_owned()),
            window: Set(self.window(*meter, self.now)),
            used: Set(if is_counted(*meter) { 0 } else { count }),
            warned: Set(0),
        });
        let grow = OnConflict::columns([Column::TenantId, Column::Subject, Column::Meter, Column::Window])
            .value(
                Column::Used,
                Expr::col((Entity, Column::Used)).add(Expr::cust("excluded.used")),
            )
            .to_owned();
        let rows = tx.upsert_many::<Entity, _>(rows.collect(), grow).await?;
        let of_meter = |meter: &Meter| {
            let row = rows.iter().find(|row| row.meter == meter.key()).cloned();
            row.map(|row| (*meter, row)).ok_or(DbErr::RecordNotInserted)
        };
        meters.iter().map(of_meter).collect()
    }

    async fn lower(&self, tx: &TenantTx, meters: &[Meter], count: i64, taken_at: DateTime<Utc>) -> Result<(), DbErr> {
        use quota_usage::Column;
        let mut which = Condition::any();
        let mut any = false;
        for meter in meters.iter().filter(|meter| !is_counted(**meter)) {
            any = true;
            let window = self.window(*meter, taken_at);
            which = which.add(Column::Meter.eq(meter.key()).and(Column::Window.eq(window)));
        }
        if !any || count == 0 {
            return Ok(());
        }
        tx.update::<quota_usage::Entity>()
            .set_to(Column::Used, Expr::col(Column::Used).sub(count))
            .filter(Column::Subject.eq(OWN))
            .filter(which)
            .filter(Column::Used.gte(count))
            .execute()
            .await?;
        Ok(())
    }

    /// Tells of every percentage that is reached for the first time in its window. What has no window is told again
    /// after it has fallen below the lowest percentage.
    async fn warn(
        &self,
        tx: &TenantTx,
        meter: Meter,
        row: &quota_usage::Model,
        used: i64,
    ) -> Result<Vec<NewEvent>, DbErr> {
        use quota_usage::Column;
        let Some(limit) = self.profile.limits.get(meter) else {
            return Ok(Vec::new());
        };
        let reached = |percent: i16| limit > 0 && i128::from(used) * 100 >= i128::from(limit) * i128::from(percent);
        let highest = WARNINGS.into_iter().rfind(|percent| reached(*percent)).unwrap_or(0);
        let fell = meter.span() == Span::Standing && highest < row.warned;
        if highest <= row.warned && !fell {
            return Ok(Vec::new());
        }
        tx.update::<quota_usage::Entity>()
            .set(Column::Warned, highest)
            .filter(Column::Subject.eq(OWN))
            .filter(Column::Meter.eq(meter.key()))
            .filter(Column::Window.eq(row.window))
            .execute()
            .await?;
        let new = WARNINGS
            .into_iter()
            .filter(|percent| *percent > row.warned && *percent <= highest);
        Ok(new
            .map(|percent| NewEvent {
                r#type: event::Type::QuotaWarning,
                device_id: None,
                chat_id: None,
                message_id: None,
                data: json!({ "meter": meter.key(), "percent": percent, "limit": limit, "used": used }),
            })
            .collect())
    }
}

/// Whether a meter is read from its own table.
fn is_counted(meter: Meter) -> bool {
    matches!(meter, Meter::Devices | Meter::Members)
}

/// How many there are, of a meter that is read from its own table.
pub(super) async fn counted(tx: &TenantTx, meter: Meter) -> Result<Option<i64>, DbErr> {
    Ok(match meter {
        Meter::Devices => Some(count(tx.find::<device::Entity>().count().await?)),
        Meter::Members => Some(count(tx.find::<membership::Entity>().count().await?)),
        _ => None,
    })
}

fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// The meter's name in the API.
fn graphql_name(meter: Meter) -> String {
    meter.key().to_uppercase()
}
