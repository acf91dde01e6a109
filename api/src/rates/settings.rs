//! Which limits hold now: the configuration's, and over them what operators have set in the database.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_graphql::Enum;
use chrono::{DateTime, Utc};
use entity::platform_settings::{ActiveModel, Column, Entity};
use sea_orm::{
    ActiveValue::Set,
    DbErr, EntityTrait, ExprTrait,
    sea_query::{Expr, OnConflict},
};
use serde_json::{Value, json};

use crate::{
    config,
    store::{Reason, Store, SystemTx},
};

/// The one row.
const ROW: i16 = 1;
/// How often the database is asked whether the settings have changed.
const POLL: Duration = Duration::from_secs(1);

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
#[graphql(name = "RateRule")]
pub enum Rule {
    /// GraphQL requests by callers who are not logged in, per address. Logging in well is not counted.
    AnonymousRequests,
    /// What the queries of a tenant cost, where its plan says nothing else.
    ApiCost,
    /// Failed logins to one account from one address.
    LoginFailuresPerAccount,
    /// Failed logins from one address, whatever the account.
    LoginFailuresPerAddress,
    /// Campaigns that a tenant starts.
    CampaignStarts,
    /// Files that a tenant uploads.
    Uploads,
    /// One-time passwords that a tenant sends to one number.
    OtpSends,
}

/// At most so many in so long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Whose counters it is about.
    pub rule: Rule,
    /// None is no limit.
    pub most: Option<i64>,
    /// Windows begin at multiples of this since the epoch, so that all nodes agree on them.
    pub window: Duration,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 7] = [
        Self::AnonymousRequests,
        Self::ApiCost,
        Self::LoginFailuresPerAccount,
        Self::LoginFailuresPerAddress,
        Self::CampaignStarts,
        Self::Uploads,
        Self::OtpSends,
    ];

    /// Its name in the database and in the `RateLimit` header.
    pub const fn key(self) -> &'static str {
        match self {
            Self::AnonymousRequests => "anonymous-requests",
            Self::ApiCost => "api-cost",
            Self::LoginFailuresPerAccount => "login-failures-per-account",
            Self::LoginFailuresPerAddress => "login-failures-per-address",
            Self::CampaignStarts => "campaign-starts",
            Self::Uploads => "uploads",
            Self::OtpSends => "otp-sends",
        }
    }

    fn configured(self, rates: &config::RateLimits, login: config::Login) -> RateLimit {
        let minute = Duration::from_mins(1);
        let hour = Duration::from_hours(1);
        let (most, window) = match self {
            Self::AnonymousRequests => (rates.anonymous_requests, rates.anonymous_window),
            Self::ApiCost => (rates.api_cost_per_minute, minute),
            Self::LoginFailuresPerAccount => (Some(login.attempts_per_account.into()), login.window),
            Self::LoginFailuresPerAddress => (Some(login.attempts_per_address.into()), login.window),
            Self::CampaignStarts => (rates.campaign_starts_per_hour, hour),
            Self::Uploads => (rates.uploads_per_minute, minute),
            Self::OtpSends => (rates.otp_sends_per_hour, hour),
        };
        RateLimit {
            rule: self,
            most,
            window,
        }
    }
}

/// What the settings are, as a whole.
#[derive(Clone, Debug)]
pub struct Values {
    /// Grows with every change; 0 when nothing was ever changed.
    pub version: i64,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Every rule's limit.
    pub limits: BTreeMap<Rule, RateLimit>,
    /// Where the webhooks of new tenants go, unless they say otherwise.
    pub webhook_default_url: Option<String>,
}

/// The settings as this node knows them. Cheap to clone.
#[derive(Clone)]
pub struct RateSettings {
    store: Store,
    configured: Arc<BTreeMap<Rule, RateLimit>>,
    current: Arc<RwLock<Arc<Values>>>,
}

impl RateSettings {
    /// The configuration's, until [`RateSettings::reload`] has asked the database.
    pub fn new(store: Store, config: &config::Config) -> Self {
        let limit = |rule: Rule| (rule, rule.configured(&config.rate_limits, config.login));
        let configured: BTreeMap<_, _> = Rule::ALL.into_iter().map(limit).collect();
        let values = Values {
            version: 0,
            updated_at: None,
            limits: configured.clone(),
            webhook_default_url: None,
        };
        Self {
            store,
            configured: Arc::new(configured),
            current: Arc::new(RwLock::new(Arc::new(values))),
        }
    }

    /// What holds now.
    pub fn current(&self) -> Arc<Values> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A rule's limit now.
    pub fn limit(&self, rule: Rule) -> RateLimit {
        let of_rule = |values: &BTreeMap<Rule, RateLimit>| values.get(&rule).copied();
        of_rule(&self.current().limits)
            .or_else(|| of_rule(&self.configured))
            .unwrap_or(RateLimit {
                rule,
                most: None,
                window: Duration::from_mins(1),
            })
    }

    /// Takes over what other nodes have changed.
    pub async fn reload(&self) -> Result<(), DbErr> {
        let system = self.store.system(Reason::RateLimits);
        let Some(row) = system.find::<Entity>().one().await? else {
            return Ok(());
        };
        if row.version == self.current().version {
            return Ok(());
        }
        let values = self.read(&row.value, row.version, Some(row.updated_at));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(values);
        Ok(())
    }

    /// Reloads for ever.
    pub async fn follow(self) {
        let mut ticks = tokio::time::interval(POLL);
        loop {
            ticks.tick().await;
            if let Err(error) = self.reload().await {
                tracing::debug!(%error, "the settings could not be read; what was known goes on");
            }
        }
    }

    /// Writes what differs from the configuration, within a transaction. Reload after it is committed.
    pub async fn write(&self, tx: &SystemTx, values: &Values, now: DateTime<Utc>) -> Result<(), DbErr> {
        let differing = values.limits.iter().filter(|(rule, limit)| {
            let configured = self.configured.get(rule);
            configured != Some(limit)
        });
        let limits: serde_json::Map<String, Value> = differing
            .map(|(rule, limit)| {
                let value = json!({ "most": limit.most, "windowSeconds": limit.window.as_secs() });
                (rule.key().to_owned(), value)
            })
            .collect();
        let row = ActiveModel {
            id: Set(ROW),
            version: Set(1),
            value: Set(json!({ "limits": limits, "webhookDefaultUrl": values.webhook_default_url })),
            updated_at: Set(now),
        };
        let replace = OnConflict::column(Column::Id)
            .update_columns([Column::Value, Column::UpdatedAt])
            .value(Column::Version, Expr::col((Entity, Column::Version)).add(1))
            .to_owned();
        Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(tx.connection())
            .await?;
        Ok(())
    }

    fn read(&self, value: &Value, version: i64, updated_at: Option<DateTime<Utc>>) -> Values {
        let mut limits = (*self.configured).clone();
        for (rule, limit) in &mut limits {
            let stored = &value["limits"][rule.key()];
            if let Some(seconds) = stored["windowSeconds"].as_u64().filter(|seconds| *seconds > 0) {
                limit.most = stored["most"].as_i64();
                limit.window = Duration::from_secs(seconds);
            }
        }
        Values {
            version,
            updated_at,
            limits,
            webhook_default_url: value["webhookDefaultUrl"].as_str().map(str::to_owned),
        }
    }
}
