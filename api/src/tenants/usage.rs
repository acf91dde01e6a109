//! Usage over time: figures of days, written down beside the windows of meters and read for any range.

use std::collections::HashMap;

use async_graphql::{Enum, SimpleObject};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::{TenantId, quota_usage};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DbErr, ExprTrait,
    sea_query::{Expr, OnConflict},
};

use super::{
    limits::{Meter, Span, midnight},
    quota::{OWN, Quota, counted},
    used::Standing,
};
use crate::{
    graphql::{GqlError, TimeRange, scalars::BigInt},
    store::{SystemScope, TenantTx},
};

/// The most points of one answer.
const MOST: usize = 400;

/// The key, beside those of meters, under which incoming messages are counted by day.
const RECEIVED: &str = "messages_received";

/// How long a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Granularity {
    /// A calendar day of the tenant.
    Day,
    /// A week of the tenant, from Monday on.
    Week,
    /// A calendar month of the tenant.
    Month,
}

/// What was used in a day, week or month of the tenant's calendar.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct UsagePoint {
    /// When it began, in the tenant's time zone.
    pub from: DateTime<Utc>,
    /// When it ended or will end; not included.
    pub to: DateTime<Utc>,
    /// Messages accepted for sending, without those that were canceled before their first attempt.
    pub messages_out: BigInt,
    /// Messages that came in.
    pub messages_in: BigInt,
    /// Recipients that campaigns began to write to.
    pub campaign_recipients: BigInt,
    /// How many devices there were at its end, or are now; 0 before the tenant was made.
    pub devices: BigInt,
    /// How many members there were at its end, or are now; 0 before the tenant was made.
    pub members: BigInt,
}

/// Days of a calendar, numbered as windows are: the first, and the first that is not meant any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period(NaiveDate, NaiveDate);

/// The days, weeks or months that a range touches, in a time zone.
pub(super) fn periods(
    range: TimeRange,
    granularity: Granularity,
    zone: Tz,
    now: DateTime<Utc>,
) -> Result<Vec<Period>, GqlError> {
    let to = range.to.unwrap_or(now);
    let from = range.from.unwrap_or(to - TimeDelta::days(30));
    if from >= to {
        return Err(GqlError::bad_request("The range ends before it begins."));
    }
    let last = (to - TimeDelta::milliseconds(1)).with_timezone(&zone).date_naive();
    let too_many = || {
        GqlError::bad_request(format!(
            "The range has more than {MOST} points. Take a coarser granularity."
        ))
    };
    let mut begin = granularity.begin(from.with_timezone(&zone).date_naive());
    let mut periods = Vec::new();
    while begin <= last {
        let end = granularity.next(begin).ok_or_else(too_many)?;
        periods.push(Period(begin, end));
        if periods.len() > MOST {
            return Err(too_many());
        }
        begin = end;
    }
    Ok(periods)
}

impl Granularity {
    fn begin(self, date: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => date,
            Self::Week => date - Days::new(date.weekday().num_days_from_monday().into()),
            Self::Month => date.with_day(1).unwrap_or(date),
        }
    }

    fn next(self, date: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => date.succ_opt(),
            Self::Week => date.checked_add_days(Days::new(7)),
            Self::Month => date.checked_add_months(Months::new(1)),
        }
    }
}

/// The days that are wanted of a tenant: the numbers of the first and of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UsageKey {
    pub tenant: TenantId,
    pub first: i64,
    pub last: i64,
}

impl UsageKey {
    pub(super) fn of(tenant: TenantId, periods: &[Period]) -> Self {
        let day = |date: NaiveDate| i64::from(date.num_days_from_ce());
        Self {
            tenant,
            first: periods.first().map_or(0, |period| day(period.0)),
            last: periods.last().map_or(0, |period| day(period.1) - 1),
        }
    }
}

/// What was written down of a tenant.
#[derive(Clone, Debug, Default)]
pub struct DayBook {
    rows: Vec<quota_usage::Model>,
    now: Standing,
}

/// Reads the days of tenants in one query; of what stands, also the days before, since only changes are written down.
pub(super) async fn read(
    system: &SystemScope,
    keys: &[UsageKey],
    now: &HashMap<TenantId, Standing>,
) -> Result<HashMap<UsageKey, DayBook>, DbErr> {
    use quota_usage::Column;
    let first = keys.iter().map(|key| key.first).min().unwrap_or(0);
    let last = keys.iter().map(|key| key.last).max().unwrap_or(0);
    let tenants = keys.iter().map(|key| key.tenant);
    let flows = [
        Meter::MessagesPerDay.key(),
        Meter::CampaignRecipientsPerDay.key(),
        RECEIVED,
    ];
    let standing = [Meter::Devices.key(), Meter::Members.key()];
    let wanted = Condition::any()
        .add(Column::Meter.is_in(flows).and(Column::Window.between(first, last)))
        .add(Column::Meter.is_in(standing).and(Column::Window.between(1, last)));
    let rows = system
        .find::<quota_usage::Entity>()
        .among(Column::TenantId, tenants)
        .filter(Column::Subject.eq(OWN))
        .filter(wanted)
        .all()
        .await?;
    let mut of_tenant: HashMap<TenantId, Vec<quota_usage::Model>> = HashMap::new();
    for row in rows {
        of_tenant.entry(row.tenant_id).or_default().push(row);
    }
    let days = keys.iter().map(|key| {
        let days = DayBook {
            rows: of_tenant.get(&key.tenant).cloned().unwrap_or_default(),
            now: now.get(&key.tenant).copied().unwrap_or_default(),
        };
        (*key, days)
    });
    Ok(days.collect())
}

impl DayBook {
    /// The points of the periods, of a tenant that was made at `created_at`: before that day there was nothing of it.
    pub(super) fn points(&self, periods: &[Period], zone: Tz, created_at: DateTime<Utc>) -> Vec<UsagePoint> {
        let created = created_at.with_timezone(&zone).date_naive();
        let point = |Period(begin, end): &Period| {
            let (first, after) = (i64::from(begin.num_days_from_ce()), i64::from(end.num_days_from_ce()));
            let sum = |key: &str| {
                let days = self.rows.iter().filter(|row| row.meter == key);
                BigInt(
                    days.filter(|row| (first..after).contains(&row.window))
                        .map(|row| row.used)
                        .sum(),
                )
            };
            let stood = |meter: Meter, first: i64, now: i64| {
                if *end <= created {
                    return BigInt(0);
                }
                let changes = || self.rows.iter().filter(|row| row.meter == meter.key());
                let latest = changes().filter(|row| row.window < after).max_by_key(|row| row.window);
                // What was never written down has not changed since the beginning.
                BigInt(match latest {
                    Some(row) => row.used,
                    None if changes().next().is_none() => now,
                    None => first,
                })
            };
            UsagePoint {
                from: midnight(*begin, zone),
                to: midnight(*end, zone),
                messages_out: sum(Meter::MessagesPerDay.key()),
                messages_in: sum(RECEIVED),
                campaign_recipients: sum(Meter::CampaignRecipientsPerDay.key()),
                devices: stood(Meter::Devices, 0, self.now.devices),
                // A tenant begins with its owner.
                members: stood(Meter::Members, 1, self.now.members),
            }
        };
        periods.iter().map(point).collect()
    }
}

/// A figure of a day.
pub(super) enum Noted {
    /// So many there are.
    Standing(i64),
    /// So many more than before.
    More(i64),
}

/// Writing down what no limit needs, in the transaction that makes it true.
impl Quota {
    /// Writes down how many there are now, after some have gone, for the usage over time.
    pub async fn recount(&self, tx: &TenantTx, meter: Meter) -> Result<(), DbErr> {
        match counted(tx, meter).await? {
            Some(count) => self.note(tx, meter.key(), Noted::Standing(count)).await,
            None => Ok(()),
        }
    }

    /// Counts messages that came in, for the usage over time. They have no limit.
    pub async fn note_received(&self, tx: &TenantTx, messages: usize) -> Result<(), DbErr> {
        let messages = i64::try_from(messages).unwrap_or(i64::MAX);
        self.note(tx, RECEIVED, Noted::More(messages)).await
    }

    /// Writes a figure of today down: beside the windows of meters, in the same table.
    pub(super) async fn note(&self, tx: &TenantTx, key: &str, noted: Noted) -> Result<(), DbErr> {
        use quota_usage::{ActiveModel, Column, Entity};
        let (used, on_conflict) = match noted {
            Noted::Standing(count) => (count, Expr::cust("excluded.used")),
            Noted::More(0) => return Ok(()),
            Noted::More(count) => {
                let used = Expr::col((Entity, Column::Used));
                (count, used.add(Expr::cust("excluded.used")))
            }
        };
        let row = ActiveModel {
            tenant_id: Set(tx.tenant_id()),
            subject: Set(OWN.to_owned()),
            meter: Set(key.to_owned()),
            window: Set(Span::Day.window(self.now, self.profile.time_zone)),
            used: Set(used),
            warned: Set(0),
        };
        let write = OnConflict::columns([Column::TenantId, Column::Subject, Column::Meter, Column::Window])
            .value(Column::Used, on_conflict)
            .to_owned();
        tx.upsert_many::<Entity, _>(vec![row], write).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a moment")
    }

    fn range(from: &str, to: &str) -> TimeRange {
        TimeRange {
            from: Some(at(from)),
            to: Some(at(to)),
        }
    }

    fn row(meter: &str, date: &str, used: i64) -> quota_usage::Model {
        let date: NaiveDate = date.parse().expect("a date");
        quota_usage::Model {
            tenant_id: TenantId(sea_orm::prelude::Uuid::nil()),
            subject: String::new(),
            meter: meter.to_owned(),
            window: date.num_days_from_ce().into(),
            used,
            warned: 0,
        }
    }

    #[test]
    fn months_and_weeks_are_those_of_the_tenants_calendar() {
        let jakarta = chrono_tz::Asia::Jakarta;
        // 01:00 on 1 December over there.
        let range = range("2026-11-30T18:00:00Z", "2026-12-01T18:00:00Z");
        let found = periods(range, Granularity::Month, jakarta, at("2027-01-01T00:00:00Z")).unwrap_or_default();
        let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
        assert_eq!(found, [Period(date("2026-12-01"), date("2027-01-01"))]);
        let found = periods(range, Granularity::Week, jakarta, at("2027-01-01T00:00:00Z")).unwrap_or_default();
        assert_eq!(found, [Period(date("2026-11-30"), date("2026-12-07"))]);
    }

    #[test]
    fn ranges_are_bounded() {
        let now = at("2026-11-21T00:00:00Z");
        let days = |from, to| periods(range(from, to), Granularity::Day, Tz::UTC, now).map(|found| found.len());
        assert_eq!(days("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z").ok(), Some(31));
        assert!(days("2020-01-01T00:00:00Z", "2026-02-01T00:00:00Z").is_err());
        assert!(days("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z").is_err());
    }

    #[test]
    fn what_flows_is_added_up_and_what_stands_is_carried_on() {
        let days = DayBook {
            rows: vec![
                row("messages_per_day", "2026-11-02", 5),
                row("messages_per_day", "2026-11-03", 7),
                row("messages_received", "2026-11-03", 2),
                row("devices", "2026-10-20", 3),
                row("devices", "2026-11-03", 4),
            ],
            now: Standing { devices: 9, members: 2 },
        };
        let range = range("2026-11-02T00:00:00Z", "2026-11-05T00:00:00Z");
        let found = periods(range, Granularity::Day, Tz::UTC, range.to.unwrap_or_default()).unwrap_or_default();
        let points = days.points(&found, Tz::UTC, at("2026-10-20T12:00:00Z"));
        let figures: Vec<_> = points
            .iter()
            .map(|point| {
                (
                    point.messages_out.0,
                    point.messages_in.0,
                    point.devices.0,
                    point.members.0,
                )
            })
            .collect();
        assert_eq!(figures, [(5, 0, 3, 2), (7, 2, 4, 2), (0, 0, 4, 2)]);
    }

    #[test]
    fn nothing_stands_before_the_day_on_which_the_tenant_was_made() {
        let days = DayBook {
            rows: vec![row("devices", "2026-11-04", 4)],
            now: Standing { devices: 4, members: 2 },
        };
        let range = range("2026-11-02T00:00:00Z", "2026-11-05T00:00:00Z");
        let found = periods(range, Granularity::Day, Tz::UTC, range.to.unwrap_or_default()).unwrap_or_default();
        let points = days.points(&found, Tz::UTC, at("2026-11-03T23:59:00Z"));
        let figures: Vec<_> = points.iter().map(|point| (point.devices.0, point.members.0)).collect();
        assert_eq!(figures, [(0, 0), (0, 2), (4, 2)]);
        let month = periods(range, Granularity::Month, Tz::UTC, range.to.unwrap_or_default()).unwrap_or_default();
        let points = days.points(&month, Tz::UTC, at("2026-11-03T23:59:00Z"));
        assert_eq!(points.first().map(|point| point.members.0), Some(2));
    }
}
