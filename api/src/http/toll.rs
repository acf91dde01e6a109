//! What a request costs, and whether it may still be made.
//!
//! A caller who is logged in pays what the query may cost before it runs, and gets back what it did not cost, on the
//! tenant's account. A stranger pays one request, on the account of the address; whoever logs in well gets it back.
//! Health, metrics and the console's files are free.
//!
//! How much is left stands in `RateLimit` and `RateLimit-Policy`, in the form of draft-ietf-httpapi-ratelimit-headers-10
//! (structured fields: `"name";r=remaining;t=seconds` and `"name";q=quota;w=seconds`).

use std::net::IpAddr;

use async_graphql::{Value, value};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, Utc};

use super::Services;
use crate::{
    rates::{Limited, RateLimit, Rule, Standing, Windows, network},
    store::ScopeOrigin,
    tenants::{Meter, Principal},
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What was charged for a request before it runs.
#[derive(Debug)]
pub struct Paid {
    rule: Rule,
    subject: String,
    charged: i64,
    requested: i64,
    standing: Option<Standing>,
}

/// What a request has cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    requested: i64,
    actual: i64,
    standing: Option<Standing>,
    /// Whether cost was charged, not a request.
    metered: bool,
}

/// Charges a stranger for a request, before anything else is done for it.
pub fn charge_stranger(services: &Services, address: Option<IpAddr>) -> Result<Paid, Limited> {
    let limit = services.rates.limit(Rule::AnonymousRequests);
    charge(services, limit, account(address), 1)
}

/// Charges a caller for an operation, before it runs.
pub fn charge_caller(services: &Services, caller: &Principal, cost: u64) -> Result<Paid, Limited> {
    let mut limit = services.rates.limit(Rule::ApiCost);
    // What the plan says counts per minute, whatever the operator has set for those without a plan.
    if let Some(of_plan) = caller.profile().limits.get(Meter::ApiCost) {
        limit = RateLimit {
            most: Some(of_plan),
            window: std::time::Duration::from_mins(1),
            ..limit
        };
    }
    let cost = i64::try_from(cost).unwrap_or(i64::MAX);
    charge(services, limit, caller.tenant_id().to_string(), cost)
}

fn charge(services: &Services, limit: RateLimit, subject: String, amount: i64) -> Result<Paid, Limited> {
    let standing = services.windows.charge(limit, &subject, amount)?;
    Ok(Paid {
        rule: limit.rule,
        subject,
        charged: amount,
        requested: amount,
        standing,
    })
}

impl Paid {
    /// What a stranger's operation may cost is told, though it is not what is charged.
    pub fn for_cost(mut self, cost: u64) -> Self {
        self.requested = i64::try_from(cost).unwrap_or(i64::MAX);
        self
    }

    /// How much is left.
    pub fn standing(&self) -> Option<Standing> {
        self.standing
    }

    /// Gives back what a query did not cost; `actual` is what it did.
    pub fn settle(self, windows: &Windows, actual: u64) -> Cost {
        let actual = i64::try_from(actual).unwrap_or(i64::MAX).min(self.requested);
        let metered = self.rule == Rule::ApiCost;
        let unused = if metered { self.charged - actual } else { 0 };
        let standing = self.refund(windows, unused);
        Cost {
            requested: self.requested,
            actual,
            standing,
            metered,
        }
    }

    /// The stranger turned out to be somebody.
    pub fn forgive(mut self, windows: &Windows) -> Self {
        if self.rule == Rule::AnonymousRequests {
            self.standing = self.refund(windows, self.charged);
            self.charged = 0;
        }
        self
    }

    fn refund(&self, windows: &Windows, amount: i64) -> Option<Standing> {
        match self.standing {
            Some(standing) if amount > 0 => Some(windows.refund(standing, &self.subject, amount)),
            Some(standing) => Some(standing),
            None => {
                windows.refund_unlimited(self.rule, &self.subject, amount);
                None
            }
        }
    }
}

impl Cost {
    /// `extensions.cost` of an answer. Strangers are limited by requests, so theirs has no limit of cost.
    pub fn extension(&self) -> Value {
        let standing = self.standing.filter(|_| self.metered);
        let (limit, remaining) = (
            standing.map(|standing| standing.limit),
            standing.map(|standing| standing.remaining),
        );
        let resets_at = standing.map(|standing| standing.resets_at.to_rfc3339());
        value!({
            "requested": self.requested,
            "actual": self.actual,
            "limit": limit,
            "remaining": remaining,
            "resetsAt": resets_at,
        })
    }

    /// How much is left.
    pub fn standing(&self) -> Option<Standing> {
        self.standing
    }
}

/// Writes how much is left into the headers of a response.
pub fn write_headers(headers: &mut HeaderMap, standing: &Standing, now: DateTime<Utc>) {
    let name = standing.rule.key();
    let seconds = (standing.resets_at - now).num_seconds().max(0);
    let left = format!("\"{name}\";r={};t={seconds}", standing.remaining);
    let policy = format!("\"{name}\";q={};w={}", standing.limit, standing.window.as_secs());
    for (header, text) in [(RATE_LIMIT, left), (RATE_LIMIT_POLICY, policy)] {
        if let Ok(text) = HeaderValue::from_str(&text) {
            headers.insert(header, text);
        }
    }
}

/// The account of an address.
fn account(address: Option<IpAddr>) -> String {
    match address.map(network) {
        Some(IpAddr::V6(network)) => format!("{network}/64"),
        Some(IpAddr::V4(address)) => address.to_string(),
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_the_form_of_the_draft() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a moment");
        let standing = Standing {
            rule: Rule::AnonymousRequests,
            limit: 100,
            window: std::time::Duration::from_mins(15),
            remaining: 7,
            resets_at: now + chrono::TimeDelta::seconds(30),
        };
        let mut headers = HeaderMap::new();
        write_headers(&mut headers, &standing, now);
        assert_eq!(headers["ratelimit"], r#""anonymous-requests";r=7;t=30"#);
        assert_eq!(headers["ratelimit-policy"], r#""anonymous-requests";q=100;w=900"#);
    }

    #[test]
    fn addresses_of_one_household_count_as_one() {
        let one = account("2001:db8::1".parse().ok());
        assert_eq!(one, account("2001:db8::ffff:1".parse().ok()));
        assert_ne!(one, account("2001:db8:0:1::1".parse().ok()));
        assert_eq!(account("::ffff:10.0.0.1".parse().ok()), "10.0.0.1");
    }
}
