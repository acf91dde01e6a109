//! What operators set while the server runs.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::Platform;
use crate::{
    audit::{self, Action, Entry},
    graphql::{GqlError, Refusal, UserError},
    rates::{RateLimit, Rule, Values},
    tenants::Principal,
};

/// The largest limit of a rule.
const LARGEST: i64 = 1 << 53;
/// The longest window: a day.
const LONGEST_WINDOW: i64 = 86_400;

/// What changes; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct SettingsWish {
    /// Only the rules that change.
    pub limits: Vec<RateWish>,
    /// The empty text removes it.
    pub webhook_default_url: Option<String>,
}

/// A rule's new limit, unchecked.
#[derive(Clone, Copy, Debug)]
pub struct RateWish {
    pub rule: Rule,
    /// None is no limit.
    pub most: Option<i64>,
    /// None keeps the window.
    pub window_seconds: Option<i64>,
}

impl Platform {
    /// The settings that hold now.
    pub fn settings(&self, caller: &Principal) -> Result<Arc<Values>, GqlError> {
        caller.require_operator()?;
        Ok(self.parts.rates.current())
    }

    /// Changes the settings, on every server within two seconds.
    pub async fn update_settings(&self, caller: &Principal, wish: SettingsWish) -> Result<Arc<Values>, Refusal> {
        caller.require_operator()?;
        // What another server has changed a moment ago is not undone.
        self.parts.rates.reload().await?;
        let before = self.parts.rates.current();
        let mut values = (*before).clone();
        for wish in wish.limits {
            let limit = values.limits.entry(wish.rule).or_insert(RateLimit {
                rule: wish.rule,
                most: None,
                window: Duration::from_mins(1),
            });
            limit.most = parse_most(wish)?;
            if let Some(seconds) = wish.window_seconds {
                limit.window = parse_window(seconds)?;
            }
        }
        if let Some(url) = wish.webhook_default_url {
            values.webhook_default_url = parse_url(&url)?;
        }
        let now = self.parts.clock.now();
        let tx = self.system().begin().await?;
        self.parts.rates.write(&tx, &values, now).await?;
        let told = Entry::without_object(Action::PlatformSettingsUpdated).changed(audited(&before), audited(&values));
        audit::record_beyond(&tx, None, now, &caller.as_operator(), told).await?;
        tx.commit().await?;
        self.parts.rates.reload().await?;
        Ok(self.parts.rates.current())
    }
}

fn parse_most(wish: RateWish) -> Result<Option<i64>, UserError> {
    match wish.most {
        Some(most) if !(1..=LARGEST).contains(&most) => Err(UserError::invalid(
            "rateLimits",
            "A limit is a whole number from 1 to 2⁵³, or null for none.",
        )),
        // Guessing passwords must never be free.
        None if matches!(wish.rule, Rule::LoginFailuresPerAccount | Rule::LoginFailuresPerAddress) => Err(
            UserError::invalid("rateLimits", "Failed logins cannot be without a limit."),
        ),
        most => Ok(most),
    }
}

fn parse_window(seconds: i64) -> Result<Duration, UserError> {
    match u64::try_from(seconds) {
        Ok(window) if (1..=LONGEST_WINDOW).contains(&seconds) => Ok(Duration::from_secs(window)),
        _ => Err(UserError::invalid("rateLimits", "A window lasts 1 to 86,400 seconds.")),
    }
}

/// A web address, or nothing. Whether it may be reached is decided when it is.
fn parse_url(text: &str) -> Result<Option<String>, UserError> {
    let url = text.trim();
    if url.is_empty() {
        return Ok(None);
    }
    let parsed = url.parse::<http::Uri>().ok();
    let sane = parsed.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    if sane && url.len() <= 2_000 {
        Ok(Some(url.to_owned()))
    } else {
        Err(UserError::invalid(
            "webhookDefaultUrl",
            "Write a web address that begins with https:// or http://.",
        ))
    }
}

/// What can change about the settings, for the audit log.
fn audited(values: &Values) -> serde_json::Value {
    let mut told: serde_json::Map<String, serde_json::Value> = values
        .limits
        .iter()
        .map(|(rule, limit)| {
            let value = json!({ "limit": limit.most, "windowSeconds": limit.window.as_secs() });
            (rule.key().to_owned(), value)
        })
        .collect();
    told.insert("webhookDefaultUrl".to_owned(), json!(values.webhook_default_url));
    told.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_windows_are_checked() {
        let wish = |rule, most| RateWish {
            rule,
            most,
            window_seconds: None,
        };
        assert_eq!(parse_most(wish(Rule::ApiCost, None)).ok(), Some(None));
        assert!(parse_most(wish(Rule::ApiCost, Some(0))).is_err());
        assert!(parse_most(wish(Rule::LoginFailuresPerAccount, None)).is_err());
        assert!(parse_window(0).is_err() && parse_window(86_401).is_err() && parse_window(900).is_ok());
    }

    #[test]
    fn addresses_are_checked() {
        assert_eq!(parse_url(" ").ok(), Some(None));
        assert!(parse_url("https://hooks.example.com/kabar").is_ok());
        for text in ["ftp://x", "example.com", "https://"] {
            assert!(parse_url(text).is_err(), "{text}");
        }
    }
}
