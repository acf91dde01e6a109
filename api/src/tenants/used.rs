//! How much of every limit is used now: of the tenant's, and of those that a token has of its own. Nothing is taken here.

use chrono::{DateTime, Utc};
use entity::{device, membership, quota_usage};
use sea_orm::{ColumnTrait, Condition, DbErr, ExprTrait};

use super::{
    limits::{LimitHolder, Meter},
    quota::{OWN, Quota, count},
};
use crate::store::TenantScope;

/// How much of a limit is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of what.
    pub meter: Meter,
    /// Whose.
    pub holder: LimitHolder,
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

impl Quota {
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
            holder: LimitHolder::Tenant,
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

    /// How much a token has used of the limits that it has of its own.
    pub async fn usage_of_token(&self, scope: &TenantScope) -> Result<Vec<Usage>, DbErr> {
        use quota_usage::Column;
        let Some(budget) = &self.budget else {
            return Ok(Vec::new());
        };
        let query = scope.find::<quota_usage::Entity>();
        let rows = query.filter(Column::Subject.eq(budget.subject())).all().await?;
        let usage = |(meter, limit): (Meter, i64)| {
            let window = self.window(meter, self.now);
            let row = rows.iter().find(|row| row.meter == meter.key() && row.window == window);
            Usage {
                meter,
                holder: LimitHolder::ApiToken,
                limit: Some(limit),
                used: row.map_or(0, |row| row.used),
                resets_at: meter.span().end(self.now, self.profile.time_zone),
            }
        };
        Ok(budget.limits.iter().map(usage).collect())
    }
}
