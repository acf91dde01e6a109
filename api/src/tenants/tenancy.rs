//! What a tenant decides about itself, and what it may use.

use std::sync::Arc;

use chrono_tz::Tz;
use entity::{TenantId, tenant};

use super::{
    limits::Meter,
    permission::Permission,
    principal::Principal,
    profile::{Profile, Profiles},
    quota::Quota,
    types::{Country, TenantName, parse_language, parse_time_zone},
    used::Usage,
};
use crate::{
    audit::{self, Action, Entry},
    clock::Clock,
    graphql::{GqlError, Refusal, UserError},
    rates::{RateSettings, Rule, Windows},
    store::{Reason, ScopeOrigin, Store, SystemScope},
};

/// Tenants as their own members see and change them. Cheap to clone.
#[derive(Clone)]
pub struct Tenancy {
    store: Store,
    clock: Clock,
    profiles: Profiles,
    rates: RateSettings,
    windows: Windows,
}

/// What changes about a tenant; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct SettingsChange {
    pub name: Option<String>,
    pub default_country: Option<String>,
    pub default_language: Option<String>,
    pub time_zone: Option<String>,
}

/// The same, checked.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub name: Option<TenantName>,
    pub default_country: Option<Country>,
    pub default_language: Option<&'static str>,
    pub time_zone: Option<Tz>,
}

impl Settings {
    /// Checks every value that was given.
    pub fn parse(change: &SettingsChange) -> Result<Self, UserError> {
        Ok(Self {
            name: change.name.as_deref().map(TenantName::parse).transpose()?,
            default_country: change.default_country.as_deref().map(Country::parse).transpose()?,
            default_language: change.default_language.as_deref().map(parse_language).transpose()?,
            time_zone: change.time_zone.as_deref().map(parse_time_zone).transpose()?,
        })
    }
}

impl Tenancy {
    /// Brings the parts together.
    pub fn new(store: Store, clock: Clock, profiles: Profiles, rates: RateSettings, windows: Windows) -> Self {
        Self {
            store,
            clock,
            profiles,
            rates,
            windows,
        }
    }

    /// Changes the caller's tenant.
    pub async fn change_settings(&self, caller: &Principal, change: SettingsChange) -> Result<tenant::Model, Refusal> {
        use tenant::Column;
        caller.require(Permission::ManageTenant)?;
        let settings = Settings::parse(&change)?;
        let now = self.clock.now();
        let tx = self.store.scope(caller).begin().await?;
        let before = tx.find::<tenant::Entity>().one().await?;
        let mut update = tx.update::<tenant::Entity>().set(Column::UpdatedAt, now);
        if let Some(name) = settings.name {
            update = update.set(Column::Name, name.0);
        }
        if let Some(country) = settings.default_country {
            update = update.set(Column::DefaultCountry, country.0);
        }
        if let Some(language) = settings.default_language {
            update = update.set(Column::DefaultLanguage, language);
        }
        if let Some(zone) = settings.time_zone {
            update = update.set(Column::TimeZone, zone.name());
        }
        let rows = update.returning().await?;
        let changed = before.zip(rows.into_iter().next());
        let (before, row) = changed.ok_or_else(|| UserError::not_found("tenant"))?;
        let told = Entry::of(Action::TenantSettingsUpdated, &row.id).named(&row.name);
        audit::record(&tx, now, caller, told.changed(audited(&before), audited(&row))).await?;
        tx.commit().await?;
        self.profiles.forget();
        Ok(row)
    }

    /// How much of each limit is used, by a tenant that `origin` opens.
    pub async fn usage(&self, origin: &impl ScopeOrigin) -> Result<Vec<Usage>, GqlError> {
        let profile = self.profile(origin).await?;
        let quota = Quota::new(profile, self.clock.now());
        let mut usages = quota.usage(&self.store.scope(origin)).await?;
        self.add_api_cost(origin.tenant_id(), &mut usages);
        Ok(usages)
    }

    /// The API's cost is counted in memory, and bounded by the platform where the plan says nothing.
    pub(super) fn add_api_cost(&self, tenant: TenantId, usages: &mut [Usage]) {
        for usage in usages.iter_mut().filter(|usage| usage.meter == Meter::ApiCost) {
            usage.used = self.windows.used(Rule::ApiCost, &tenant.to_string());
            if usage.limit.is_none() {
                usage.limit = self.rates.limit(Rule::ApiCost).most;
            }
        }
    }

    /// How much of each limit that binds a caller is used.
    pub async fn usage_of_caller(&self, caller: &Principal) -> Result<Vec<Usage>, GqlError> {
        let mut usages = self.usage(caller).await?;
        if let Some(budget) = caller.budget() {
            let quota = Quota::new(caller.profile().clone(), self.clock.now()).within(Some(budget));
            usages.extend(quota.usage_of_token(&self.store.scope(caller)).await?);
        }
        Ok(usages)
    }

    /// What a tenant may use now.
    pub(super) fn quota(&self, profile: Arc<Profile>) -> Quota {
        Quota::new(profile, self.clock.now())
    }

    /// The time, for the other files of this room.
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Figures of any tenant.
    pub(super) fn system(&self) -> SystemScope {
        self.store.system(Reason::TenantProfiles)
    }

    async fn profile(&self, origin: &impl ScopeOrigin) -> Result<Arc<Profile>, GqlError> {
        let found = self.profiles.get(origin.tenant_id()).await?;
        found.ok_or_else(GqlError::unauthenticated)
    }
}

/// What can change about a tenant, for the audit log.
pub fn audited(row: &tenant::Model) -> serde_json::Value {
    serde_json::json!({
        "name": row.name,
        "slug": row.slug,
        "defaultCountry": row.default_country,
        "defaultLanguage": row.default_language,
        "timeZone": row.time_zone,
        "planId": row.plan_id.map(|id| id.to_string()),
        "limitOverrides": row.limit_overrides,
    })
}
