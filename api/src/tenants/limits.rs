//! What is metered, and how much of it a tenant may use: the limits of its plan, and what was agreed beside them.

use std::collections::BTreeMap;

use async_graphql::Enum;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::graphql::UserError;

/// The largest limit: what a double-precision number holds exactly.
const LARGEST: i64 = 1 << 53;

/// Something that is counted and may be limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
pub enum Meter {
    /// Devices that exist, linked or not.
    Devices,
    /// Messages accepted for sending since midnight in the tenant's time zone. One that is canceled before its first
    /// attempt is given back.
    MessagesPerDay,
    /// The same since the first of the month in the tenant's time zone.
    MessagesPerMonth,
    /// Recipients that campaigns begin to write to since midnight in the tenant's time zone.
    CampaignRecipientsPerDay,
    /// Contacts that exist.
    Contacts,
    /// Bytes of stored media; the same file stored twice counts once.
    MediaBytes,
    /// Webhooks that exist.
    Webhooks,
    /// People in the tenant. Operators who were let in for a while do not count.
    Members,
    /// What queries cost in the current minute (UTC), by `extensions.cost`. It is measured by every server for itself and
    /// put together each second, so that a burst over several servers may exceed it a little.
    ApiCost,
}

/// Whom a limit binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum LimitHolder {
    /// Everybody in the tenant, together.
    Tenant,
    /// The API token that asks, alone.
    ApiToken,
}

/// Over which time a meter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// What exists now.
    Standing,
    /// A calendar day of the tenant.
    Day,
    /// A calendar month of the tenant.
    Month,
    /// A minute, the same for everybody.
    Minute,
}

impl Meter {
    /// Those that an API token may have limits of its own for.
    pub const OF_TOKENS: [Self; 3] = [
        Self::MessagesPerDay,
        Self::MessagesPerMonth,
        Self::CampaignRecipientsPerDay,
    ];

    /// Every meter, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Devices,
        Self::MessagesPerDay,
        Self::MessagesPerMonth,
        Self::CampaignRecipientsPerDay,
        Self::Contacts,
        Self::MediaBytes,
        Self::Webhooks,
        Self::Members,
        Self::ApiCost,
    ];

    /// Its name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::MessagesPerDay => "messages_per_day",
            Self::MessagesPerMonth => "messages_per_month",
            Self::CampaignRecipientsPerDay => "campaign_recipients_per_day",
            Self::Contacts => "contacts",
            Self::MediaBytes => "media_bytes",
            Self::Webhooks => "webhooks",
            Self::Members => "members",
            Self::ApiCost => "api_cost",
        }
    }

    /// Over which time it counts.
    pub const fn span(self) -> Span {
        match self {
            Self::Devices | Self::Contacts | Self::MediaBytes | Self::Webhooks | Self::Members => Span::Standing,
            Self::MessagesPerDay | Self::CampaignRecipientsPerDay => Span::Day,
            Self::MessagesPerMonth => Span::Month,
            Self::ApiCost => Span::Minute,
        }
    }

    /// What it counts, for people.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::MessagesPerDay => "messages per day",
            Self::MessagesPerMonth => "messages per month",
            Self::CampaignRecipientsPerDay => "campaign recipients per day",
            Self::Contacts => "contacts",
            Self::MediaBytes => "bytes of media",
            Self::Webhooks => "webhooks",
            Self::Members => "members",
            Self::ApiCost => "API cost per minute",
        }
    }

    /// Reads a name of the database.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|meter| meter.key() == key)
    }
}

impl Span {
    /// The number of the window that `at` falls into.
    ///
    /// Days and months are numbered by the tenant's own calendar, not by their first moment: a tenant that changes its
    /// time zone finds the day it has used already, never a fresh one of the same date.
    pub fn window(self, at: DateTime<Utc>, zone: Tz) -> i64 {
        let date = at.with_timezone(&zone).date_naive();
        match self {
            Self::Standing => 0,
            Self::Day => i64::from(date.num_days_from_ce()),
            Self::Month => i64::from(date.year()) * 12 + i64::from(date.month0()),
            Self::Minute => at.timestamp().div_euclid(60),
        }
    }

    /// When the window that `at` falls into ends; never for what stands.
    pub fn end(self, at: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let date = at.with_timezone(&zone).date_naive();
        match self {
            Self::Standing => None,
            Self::Day => date.succ_opt().map(|next| midnight(next, zone)),
            Self::Month => {
                let (year, month) = if date.month() == 12 {
                    (date.year() + 1, 1)
                } else {
                    (date.year(), date.month() + 1)
                };
                NaiveDate::from_ymd_opt(year, month, 1).map(|next| midnight(next, zone))
            }
            Self::Minute => DateTime::from_timestamp((at.timestamp().div_euclid(60) + 1) * 60, 0),
        }
    }
}

/// When a day begins. A midnight that the clocks skip is the first moment after the gap.
pub(super) fn midnight(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let begin = date.and_time(NaiveTime::MIN);
    let mut hours = (0..24).map(|hour| begin + chrono::TimeDelta::hours(hour));
    let first = hours.find_map(|local| zone.from_local_datetime(&local).earliest());
    first.map_or_else(|| begin.and_utc(), |at| at.with_timezone(&Utc))
}

/// Limits per meter. A meter that is missing has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits(BTreeMap<Meter, i64>);

/// What differs from a plan: another limit, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides(BTreeMap<Meter, Option<i64>>);

impl Limits {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The limit of a meter.
    pub fn get(&self, meter: Meter) -> Option<i64> {
        self.0.get(&meter).copied()
    }

    /// These limits with what differs from them.
    pub fn with(mut self, overrides: &Overrides) -> Self {
        for (meter, limit) in &overrides.0 {
            match limit {
                Some(limit) => self.0.insert(*meter, *limit),
                None => self.0.remove(meter),
            };
        }
        self
    }

    /// Reads what the database holds. What it cannot mean is left out.
    pub fn read(json: &serde_json::Value) -> Self {
        Self(
            entries(json)
                .filter_map(|(meter, value)| Some((meter, value.as_i64()?)))
                .collect(),
        )
    }

    /// What the database holds.
    pub fn write(&self) -> serde_json::Value {
        self.0.iter().map(|(meter, limit)| (meter.key(), *limit)).collect()
    }

    /// Checks what somebody wants: at most one limit per meter, each from 0 to 2⁵³.
    pub fn parse(wanted: impl IntoIterator<Item = (Meter, Option<i64>)>, path: &str) -> Result<Self, UserError> {
        let overrides = Overrides::parse(wanted, path)?;
        Ok(Self::default().with(&overrides))
    }

    /// Every limit there is.
    pub fn iter(&self) -> impl Iterator<Item = (Meter, i64)> {
        self.0.iter().map(|(meter, limit)| (*meter, *limit))
    }
}

impl Overrides {
    /// Reads what the database holds.
    pub fn read(json: &serde_json::Value) -> Self {
        Self(
            entries(json)
                .filter(|(_, value)| value.is_null() || value.is_i64())
                .map(|(meter, value)| (meter, value.as_i64()))
                .collect(),
        )
    }

    /// What the database holds.
    pub fn write(&self) -> serde_json::Value {
        self.0.iter().map(|(meter, limit)| (meter.key(), *limit)).collect()
    }

    /// Checks what somebody wants: at most one entry per meter, limits from 0 to 2⁵³.
    pub fn parse(wanted: impl IntoIterator<Item = (Meter, Option<i64>)>, path: &str) -> Result<Self, UserError> {
        let mut overrides = Self::default();
        for (meter, limit) in wanted {
            if limit.is_some_and(|limit| !(0..=LARGEST).contains(&limit)) {
                return Err(UserError::invalid(path, "A limit is a whole number from 0 to 2⁵³."));
            }
            if overrides.0.insert(meter, limit).is_some() {
                return Err(UserError::invalid(path, "Every meter may be given once."));
            }
        }
        Ok(overrides)
    }

    /// Every difference.
    pub fn iter(&self) -> impl Iterator<Item = (Meter, Option<i64>)> {
        self.0.iter().map(|(meter, limit)| (*meter, *limit))
    }
}

fn entries(json: &serde_json::Value) -> impl Iterator<Item = (Meter, &serde_json::Value)> {
    let fields = json.as_object().into_iter().flatten();
    fields.filter_map(|(key, value)| Some((Meter::of_key(key)?, value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a moment")
    }

    #[test]
    fn an_override_wins_over_the_plan_and_null_lifts_the_limit() {
        let plan = Limits::read(&json!({ "devices": 3, "members": 5, "unknown": 1 }));
        let own = Overrides::read(&json!({ "devices": null, "contacts": 10, "members": "x" }));
        let limits = plan.with(&own);
        assert_eq!(limits.get(Meter::Devices), None);
        assert_eq!(limits.get(Meter::Members), Some(5));
        assert_eq!(limits.get(Meter::Contacts), Some(10));
        assert_eq!(Overrides::read(&own.write()), own);
        assert_eq!(Limits::read(&limits.write()), limits);
    }

    #[test]
    fn limits_are_checked() {
        assert!(Limits::parse([(Meter::Devices, Some(0)), (Meter::Members, None)], "limits").is_ok());
        assert!(Limits::parse([(Meter::Devices, Some(-1))], "limits").is_err());
        assert!(Limits::parse([(Meter::Devices, Some(1)), (Meter::Devices, None)], "limits").is_err());
    }

    #[test]
    fn days_and_months_begin_in_the_tenants_time_zone() {
        let jakarta = chrono_tz::Asia::Jakarta;
        // 01:30 of the next day, and of the next month, over there.
        let now = at("2026-11-30T18:30:00Z");
        assert_eq!(Span::Day.end(now, jakarta), Some(at("2026-12-01T17:00:00Z")));
        assert_eq!(Span::Month.end(now, jakarta), Some(at("2026-12-31T17:00:00Z")));
        assert_eq!(
            Span::Month.window(now, jakarta),
            Span::Month.window(now, chrono_tz::UTC) + 1
        );
        assert_eq!(
            Span::Day.window(now, jakarta),
            Span::Day.window(now, chrono_tz::UTC) + 1
        );
        assert_eq!(Span::Standing.end(now, jakarta), None);
        assert_eq!(Span::Minute.end(now, jakarta), Some(at("2026-11-30T18:31:00Z")));
    }

    #[test]
    fn a_midnight_that_the_clocks_skip_is_the_end_of_the_gap() {
        // In Cairo the clocks went from 23:59 to 01:00 on 26 April 2024.
        let end = Span::Day.end(at("2024-04-25T12:00:00Z"), chrono_tz::Africa::Cairo);
        assert_eq!(end, Some(at("2024-04-25T22:00:00Z")));
    }
}
