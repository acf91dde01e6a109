//! The counters: in memory, put together with the other nodes' once a second.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use entity::rate_window::{ActiveModel, Column, Entity};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use super::settings::{RateLimit, Rule};
use crate::{
    clock::Clock,
    store::{Reason, Store},
};

/// How often counters are put together.
const SHARE: Duration = Duration::from_secs(1);
/// How often counters of windows that have ended are thrown away.
const CLEAN: Duration = Duration::from_mins(5);
/// More are not kept: the smallest counters are forgotten first.
const MOST_COUNTERS: usize = 100_000;
/// So many go into one statement.
const BATCH: usize = 2_000;

/// How much of a limit is left, after a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub rule: Rule,
    /// How much is allowed in a window.
    pub limit: i64,
    /// How long a window is.
    pub window: Duration,
    /// How much is left.
    pub remaining: i64,
    /// When the window ends.
    pub resets_at: DateTime<Utc>,
}

/// Too many in too short a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// What was asked for would have cost this much.
    pub asked: i64,
    /// How much was used before; nothing was charged.
    pub used: i64,
    /// What is left, and until when to wait.
    pub standing: Standing,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    rule: Rule,
    subject: String,
}

impl Key {
    fn text(&self) -> String {
        format!("{}:{}", self.rule.key(), self.subject)
    }
}

struct Counter {
    period: i64,
    ends_at: DateTime<Utc>,
    /// What all nodes have told.
    shared: i64,
    /// What this node is telling now.
    telling: i64,
    /// What this node has counted since.
    own: i64,
}

impl Counter {
    fn used(&self) -> i64 {
        (self.shared + self.telling + self.own).max(0)
    }
}

/// Counts. Cheap to clone.
#[derive(Clone)]
pub struct Windows {
    store: Store,
    clock: Clock,
    counters: Arc<Mutex<HashMap<Key, Counter>>>,
}

impl Windows {
    /// Nothing is counted yet.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            counters: Arc::default(),
        }
    }

    /// Counts `amount` for `subject`, or refuses when the limit does not allow it. Without a limit it is counted all the
    /// same, and answers nothing.
    pub fn charge(&self, limit: RateLimit, subject: &str, amount: i64) -> Result<Option<Standing>, Limited> {
        let now = self.clock.now();
        let (period, ends_at) = window_of(now, limit.window);
        let mut counters = self.lock();
        forget_some(&mut counters, now);
        let key = Key {
            rule: limit.rule,
            subject: subject.to_owned(),
        };
        let fresh = || Counter {
            period,
            ends_at,
            shared: 0,
            telling: 0,
            own: 0,
        };
        let counter = counters.entry(key).or_insert_with(fresh);
        if counter.period != period {
            *counter = fresh();
        }
        let used = counter.used();
        let Some(most) = limit.most else {
            counter.own += amount;
            return Ok(None);
        };
        let standing = |remaining: i64| Standing {
            rule: limit.rule,
            limit: most,
            window: limit.window,
            remaining: remaining.max(0),
            resets_at: ends_at,
        };
        if used.saturating_add(amount) > most {
            return Err(Limited {
                asked: amount,
                used,
                standing: standing(most - used),
            });
        }
        counter.own += amount;
        Ok(Some(standing(most - used - amount)))
    }

    /// Gives back what was charged and not used; answers how much is left then.
    pub fn refund(&self, standing: Standing, subject: &str, amount: i64) -> Standing {
        let mut counters = self.lock();
        let key = Key {
            rule: standing.rule,
            subject: subject.to_owned(),
        };
        let Some(counter) = counters
            .get_mut(&key)
            .filter(|counter| counter.ends_at == standing.resets_at)
        else {
            return standing;
        };
        counter.own -= amount;
        Standing {
            remaining: (standing.limit - counter.used()).clamp(0, standing.limit),
            ..standing
        }
    }

    /// Gives back where there was no limit.
    pub fn refund_unlimited(&self, rule: Rule, subject: &str, amount: i64) {
        let key = Key {
            rule,
            subject: subject.to_owned(),
        };
        if let Some(counter) = self.lock().get_mut(&key) {
            counter.own -= amount.min(counter.used());
        }
    }

    /// How much is used in the current window.
    pub fn used(&self, rule: Rule, subject: &str) -> i64 {
        let now = self.clock.now();
        let key = Key {
            rule,
            subject: subject.to_owned(),
        };
        let counters = self.lock();
        let counter = counters.get(&key).filter(|counter| counter.ends_at > now);
        counter.map_or(0, Counter::used)
    }

    /// Puts this node's counters together with the others', for ever.
    pub async fn share_for_ever(self) {
        let mut ticks = tokio::time::interval(SHARE);
        let mut clean = tokio::time::interval(CLEAN);
        loop {
            let result = tokio::select! {
                _ = ticks.tick() => self.share().await,
                _ = clean.tick() => self.clean().await,
            };
            if let Err(error) = result {
                tracing::debug!(%error, "counters could not be shared; they are kept for the next time");
            }
        }
    }

    /// Tells what this node has counted, and takes over the sum.
    pub async fn share(&self) -> Result<(), DbErr> {
        let mut told = self.begin_telling();
        // Always in the same order, so that two nodes never wait for each other.
        told.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        for chunk in told.chunks(BATCH) {
            let written = self.tell(chunk).await;
            let mut counters = self.lock();
            for (key, period, amount, _) in chunk {
                let Some(counter) = counters.get_mut(key).filter(|counter| counter.period == *period) else {
                    continue;
                };
                counter.telling = 0;
                match &written {
                    Ok(sums) => {
                        if let Some(sum) = sums.get(&key.text()).filter(|(of, _)| of == period) {
                            counter.shared = sum.1;
                        }
                    }
                    Err(_) => counter.own += amount,
                }
            }
            drop(counters);
            written?;
        }
        Ok(())
    }

    fn begin_telling(&self) -> Vec<(Key, i64, i64, DateTime<Utc>)> {
        let now = self.clock.now();
        let mut told = Vec::new();
        for (key, counter) in self.lock().iter_mut() {
            if counter.own != 0 && counter.telling == 0 && counter.ends_at > now {
                counter.telling = std::mem::take(&mut counter.own);
                told.push((key.clone(), counter.period, counter.telling, counter.ends_at));
            }
        }
        told
    }

    async fn tell(&self, chunk: &[(Key, i64, i64, DateTime<Utc>)]) -> Result<HashMap<String, (i64, i64)>, DbErr> {
        let rows = chunk.iter().map(|(key, period, amount, ends_at)| ActiveModel {
            key: Set(key.text()),
            period: Set(*period),
            used: Set(*amount),
            expires_at: Set(*ends_at),
        });
        // A row of an older window begins anew.
        let sum = Expr::cust(
            "CASE WHEN rate_window.period = excluded.period THEN rate_window.used + excluded.used ELSE excluded.used END",
        );
        let add = OnConflict::column(Column::Key)
            .value(Column::Used, sum)
            .update_columns([Column::Period, Column::ExpiresAt])
            .to_owned();
        let tx = self.store.system(Reason::RateLimits).begin().await?;
        let insert = Entity::insert_many(rows).on_conflict(add);
        let rows = insert.exec_with_returning(tx.connection()).await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(|row| (row.key, (row.period, row.used))).collect())
    }

    async fn clean(&self) -> Result<(), DbErr> {
        let now = self.clock.now();
        self.lock().retain(|_, counter| counter.ends_at > now);
        let tx = self.store.system(Reason::RateLimits).begin().await?;
        Entity::delete_many()
            .filter(Column::ExpiresAt.lt(now))
            .exec(tx.connection())
            .await?;
        tx.commit().await
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Counter>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of the window that a moment falls into, and when it ends.
fn window_of(at: DateTime<Utc>, window: Duration) -> (i64, DateTime<Utc>) {
    let seconds = i64::try_from(window.as_secs()).unwrap_or(60).max(1);
    let period = at.timestamp().div_euclid(seconds);
    let end = period.saturating_add(1).saturating_mul(seconds);
    (period, DateTime::from_timestamp(end, 0).unwrap_or(at))
}

/// Keeps the table bounded when callers come from ever new addresses.
fn forget_some(counters: &mut HashMap<Key, Counter>, now: DateTime<Utc>) {
    if counters.len() < MOST_COUNTERS {
        return;
    }
    counters.retain(|_, counter| counter.ends_at > now);
    if counters.len() >= MOST_COUNTERS {
        let mut sizes: Vec<i64> = counters.values().map(Counter::used).collect();
        sizes.sort_unstable();
        let middle = sizes[sizes.len() / 2];
        counters.retain(|_, counter| counter.used() > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::DatabaseOptions;

    fn limit(most: i64) -> RateLimit {
        RateLimit {
            rule: Rule::ApiCost,
            most: Some(most),
            window: Duration::from_mins(1),
        }
    }

    async fn two_nodes() -> (Windows, Windows, Clock, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("rates.db").display());
        let store = Store::open(&DatabaseOptions::at(url)).await.expect("a database");
        store.migrate().await.expect("migrated");
        let clock = Clock::held_at(DateTime::from_timestamp(1_800_000_000, 0).expect("a moment"));
        let one = Windows::new(store.clone(), clock.clone());
        (one, Windows::new(store, clock.clone()), clock, folder)
    }

    #[tokio::test]
    async fn what_is_over_the_limit_is_refused_until_the_window_ends() {
        let (windows, _, clock, _folder) = two_nodes().await;
        assert_eq!(
            windows
                .charge(limit(10), "a", 7)
                .expect("allowed")
                .map(|left| left.remaining),
            Some(3)
        );
        let limited = windows.charge(limit(10), "a", 4).expect_err("too much");
        assert_eq!((limited.used, limited.asked), (7, 4));
        assert!(windows.charge(limit(10), "b", 10).is_ok(), "others are counted apart");
        let standing = windows.charge(limit(10), "a", 3).expect("the rest").expect("a limit");
        assert_eq!(windows.refund(standing, "a", 5).remaining, 5);
        assert!(
            windows.charge(limit(10), "a", 5).is_ok(),
            "what was given back can be used"
        );
        clock.advance(chrono::TimeDelta::minutes(1));
        assert!(windows.charge(limit(10), "a", 10).is_ok());
    }

    #[tokio::test]
    async fn nodes_agree_after_they_have_told_each_other() {
        let (one, other, clock, _folder) = two_nodes().await;
        for windows in [&one, &other] {
            windows.charge(limit(10), "a", 4).expect("allowed");
        }
        one.share().await.expect("told");
        other.share().await.expect("told");
        assert_eq!(other.used(Rule::ApiCost, "a"), 8);
        assert!(other.charge(limit(10), "a", 3).is_err());
        one.charge(limit(10), "a", 1).expect("allowed");
        one.share().await.expect("told");
        assert_eq!(one.used(Rule::ApiCost, "a"), 9);
        clock.advance(chrono::TimeDelta::minutes(1));
        one.charge(limit(10), "a", 1).expect("a new window");
        one.share().await.expect("told");
        assert_eq!(one.used(Rule::ApiCost, "a"), 1, "the row begins anew");
    }
}
