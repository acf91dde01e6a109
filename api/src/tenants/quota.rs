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
//! An API token may have limits of its own ([`Budget`]): what it uses is counted twice, for the tenant and for the token, in
//! two rows of one transaction. Whichever has less room decides.
//!
//! A message counts when it is accepted and is given back when it is canceled before its first attempt; one that failed
//! was work and stays counted, and trying it again costs nothing. To a token nothing is given back: whoever cancels need not be
//! the one that sent. Retried and repeated requests with a known
//! idempotency key reserve nothing.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{ApiTokenId, device, event, membership, quota_usage};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DbErr, ExprTrait,
    sea_query::{Expr, OnConflict},
};
use serde_json::json;

use super::{
    limits::{LimitHolder, Limits, Meter, Span},
    profile::Profile,
    usage::Noted,
};
use crate::{
    events::NewEvent,
    graphql::{ErrorCode, Refusal, UserError},
    store::TenantTx,
};

/// Percentages that are warned of, once per window each.
const WARNINGS: [i16; 2] = [80, 100];
/// The tenant's own usage, not that of one of its tokens.
pub(super) const OWN: &str = "";

/// What an API token may use by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    subject: String,
    pub(super) limits: Limits,
}

impl Budget {
    /// The limits of a token.
    pub fn new(token: ApiTokenId, limits: Limits) -> Self {
        Self {
            subject: token.to_string(),
            limits,
        }
    }

    /// Whose it is, as `quota_usage` names it.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

/// A tenant's quota at a moment.
#[derive(Clone, Debug)]
pub struct Quota {
    pub(super) profile: Arc<Profile>,
    pub(super) budget: Option<Arc<Budget>>,
    pub(super) now: DateTime<Utc>,
}

/// A row that is raised: of the tenant, or of the token.
struct Raised {
    meter: Meter,
    holder: LimitHolder,
    row: quota_usage::Model,
    before: i64,
}

/// A limit that does not allow more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which.
    pub meter: Meter,
    /// Whose.
    pub holder: LimitHolder,
    /// How much is allowed.
    pub limit: i64,
    /// How much was used before what was refused: what was granted of the same reservation is used.
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

impl From<Exceeded> for UserError {
    fn from(exceeded: Exceeded) -> Self {
        let Exceeded {
            meter,
            holder,
            limit,
            used,
            ..
        } = exceeded;
        let (whose, holder) = match holder {
            LimitHolder::Tenant => ("Your plan", "TENANT"),
            LimitHolder::ApiToken => ("This API token", "API_TOKEN"),
        };
        let message = format!("{whose} allows {limit} {}; {used} are used.", meter.noun());
        let mut error = Self::new(ErrorCode::QuotaExceeded, message);
        error.retry_at = exceeded.resets_at;
        error.details = Some(json!({ "meter": graphql_name(meter), "holder": holder, "limit": limit, "used": used }));
        error
    }
}

impl Quota {
    /// A tenant's quota now.
    pub fn new(profile: Arc<Profile>, now: DateTime<Utc>) -> Self {
        Self {
            profile,
            budget: None,
            now,
        }
    }

    /// The same for a caller who has limits of its own besides.
    pub fn within(mut self, budget: Option<Arc<Budget>>) -> Self {
        self.budget = budget;
        self
    }

    /// Takes `count` of a meter, or refuses with QUOTA_EXCEEDED. The warnings belong to the events of the same commit.
    pub async fn reserve(&self, tx: &TenantTx, meter: Meter, count: u64) -> Result<Vec<NewEvent>, Refusal> {
        let reservation = self.reserve_up_to(tx, &[meter], count).await?;
        match reservation.exceeded {
            None => Ok(reservation.warnings),
            Some(exceeded) => {
                // All or nothing: what there was room for is not kept.
                let used = exceeded.used - i64::try_from(reservation.granted).unwrap_or(0);
                Err(UserError::from(Exceeded { used, ..exceeded }).into())
            }
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
            holder: LimitHolder::Tenant,
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
        let raised = self.raise(tx, meters, wanted).await?;
        let mut granted = wanted;
        let mut exceeded = None;
        for Raised {
            meter, holder, before, ..
        } in &raised
        {
            let Some(limit) = self.limit(*meter, *holder) else {
                continue;
            };
            let room = (limit - before).clamp(0, wanted);
            if room < granted {
                granted = room;
                exceeded = Some(Exceeded {
                    meter: *meter,
                    holder: *holder,
                    limit,
                    used: *before,
                    resets_at: meter.span().end(self.now, self.profile.time_zone),
                });
            }
        }
        if let Some(exceeded) = &mut exceeded {
            exceeded.used += granted;
        }
        if granted < wanted {
            let taken = raised.iter().map(|raised| (raised.row.subject.as_str(), raised.meter));
            self.lower(tx, taken, wanted - granted, self.now).await?;
        }
        let mut warnings = Vec::new();
        for raised in raised.iter().filter(|raised| raised.holder == LimitHolder::Tenant) {
            let used = raised.before + granted;
            if is_counted(raised.meter) {
                self.note(tx, raised.meter.key(), Noted::Standing(used)).await?;
            }
            warnings.extend(self.warn(tx, raised.meter, &raised.row, used).await?);
        }
        Ok(Reservation {
            granted: u64::try_from(granted).unwrap_or(0),
            exceeded,
            warnings,
        })
    }

    fn limit(&self, meter: Meter, holder: LimitHolder) -> Option<i64> {
        match holder {
            LimitHolder::Tenant => self.profile.limits.get(meter),
            LimitHolder::ApiToken => self.budget.as_ref()?.limits.get(meter),
        }
    }

    /// Gives back to the tenant what was taken at `taken_at` and not used. Nothing is given back to a window that has ended.
    pub async fn release(
        &self,
        tx: &TenantTx,
        meters: &[Meter],
        count: u64,
        taken_at: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let count = i64::try_from(count).unwrap_or(0);
        let taken = meters.iter().map(|meter| (OWN, *meter));
        self.lower(tx, taken, count, taken_at).await
    }

    pub(super) fn window(&self, meter: Meter, at: DateTime<Utc>) -> i64 {
        meter.span().window(at, self.profile.time_zone)
    }

    /// Raises the rows of the meters, the tenant's and then the token's; a counted meter's is only locked.
    async fn raise(&self, tx: &TenantTx, meters: &[Meter], count: i64) -> Result<Vec<Raised>, DbErr> {
        use quota_usage::{ActiveModel, Column, Entity};
        let mut wanted: Vec<(Meter, LimitHolder, &str)> = Vec::with_capacity(meters.len());
        wanted.extend(meters.iter().map(|meter| (*meter, LimitHolder::Tenant, OWN)));
        if let Some(budget) = &self.budget {
            let limited = meters.iter().filter(|meter| budget.limits.get(**meter).is_some());
            wanted.extend(limited.map(|meter| (*meter, LimitHolder::ApiToken, budget.subject())));
        }
        let rows = wanted.iter().map(|(meter, _, subject)| ActiveModel {
            tenant_id: Set(tx.tenant_id()),
            subject: Set((*subject).to_owned()),
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
        let mut raised = Vec::with_capacity(wanted.len());
        for (meter, holder, subject) in wanted {
            let row = rows
                .iter()
                .find(|row| row.meter == meter.key() && row.subject == subject)
                .cloned()
                .ok_or(DbErr::RecordNotInserted)?;
            let before = match counted(tx, meter).await? {
                Some(count) => count,
                None => row.used - count,
            };
            raised.push(Raised {
                meter,
                holder,
                row,
                before,
            });
        }
        Ok(raised)
    }

    /// Takes back what was taken at `taken_at`, of meters for subjects.
    async fn lower<'a>(
        &self,
        tx: &TenantTx,
        taken: impl Iterator<Item = (&'a str, Meter)>,
        count: i64,
        taken_at: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        use quota_usage::Column;
        let mut which = Condition::any();
        for (subject, meter) in taken.filter(|(_, meter)| !is_counted(*meter)) {
            let window = self.window(meter, taken_at);
            let row = Column::Subject.eq(subject).and(Column::Meter.eq(meter.key()));
            which = which.add(row.and(Column::Window.eq(window)));
        }
        if which.is_empty() || count == 0 {
            return Ok(());
        }
        tx.update::<quota_usage::Entity>()
            .set_to(Column::Used, Expr::col(Column::Used).sub(count))
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

pub(super) fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// The meter's name in the API.
fn graphql_name(meter: Meter) -> String {
    meter.key().to_uppercase()
}
