//! What operators do with tenants.

use std::sync::Arc;

use entity::{PlanId, TenantId, tenant};
use sea_orm::sea_query::Expr;
use tokio::sync::Notify;

use super::{
    Erasure,
    queries::{self, TenantSearch},
    types::Slug,
};
use crate::{
    audit::{self, Action, Entry},
    clock::Clock,
    devices::Devices,
    events::EventLog,
    graphql::{
        ErrorCode, GqlError, Refusal, UserError,
        pagination::{Page, Rows},
    },
    rates::RateSettings,
    secret::Secret,
    store::{Reason, Store, SystemScope},
    tenants::{
        Accounts, Principal, Profiles,
        limits::Overrides,
        provisioning::{NewOwner, NewTenant},
        tenancy::{Settings, SettingsChange, audited},
    },
};

/// The operator's service. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    pub(super) parts: Arc<Parts>,
}

pub(super) struct Parts {
    pub store: Store,
    pub clock: Clock,
    pub accounts: Accounts,
    pub profiles: Profiles,
    pub rates: RateSettings,
    pub events: EventLog,
    /// Tells that a tenant is to be deleted.
    pub erase: Arc<Notify>,
}

/// What a new tenant is given.
#[derive(Clone, Debug)]
pub struct TenantWish {
    pub settings: SettingsChange,
    pub slug: Option<String>,
    pub plan: Option<PlanId>,
    pub overrides: Overrides,
    pub owner_email: String,
    pub owner_name: Option<String>,
}

/// What changes about a tenant; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct TenantChange {
    pub settings: SettingsChange,
    pub slug: Option<String>,
    pub plan: Option<PlanChoice>,
    pub overrides: Option<Overrides>,
}

/// What becomes of a tenant's plan.
#[derive(Clone, Copy, Debug)]
pub enum PlanChoice {
    /// It has none any more.
    Without,
    /// It has this one.
    With(PlanId),
}

impl PlanChoice {
    fn id(self) -> Option<PlanId> {
        match self {
            Self::Without => None,
            Self::With(id) => Some(id),
        }
    }
}

/// A tenant that was just made.
#[derive(Debug)]
pub struct CreatedTenant {
    pub tenant: tenant::Model,
    /// The owner's password, when the owner had no account before: shown once, kept nowhere.
    pub owner_password: Option<Secret>,
}

impl Platform {
    /// Brings the parts together.
    pub fn new(
        store: Store,
        clock: Clock,
        accounts: Accounts,
        profiles: Profiles,
        rates: RateSettings,
        events: EventLog,
    ) -> Self {
        let parts = Parts {
            store,
            clock,
            accounts,
            profiles,
            rates,
            events,
            erase: Arc::default(),
        };
        Self { parts: Arc::new(parts) }
    }

    /// What deletes the tenants that this service says are to go.
    pub fn erasure(&self, devices: Devices) -> Erasure {
        let Parts {
            store,
            clock,
            profiles,
            erase,
            ..
        } = self.parts.as_ref();
        Erasure::new(
            store.clone(),
            clock.clone(),
            devices,
            profiles.clone(),
            Arc::clone(erase),
        )
    }

    /// A page of tenants, the newest first.
    pub async fn tenants(
        &self,
        caller: &Principal,
        search: &TenantSearch,
        page: &Page<TenantId>,
    ) -> Result<Rows<tenant::Model>, GqlError> {
        caller.require_operator()?;
        queries::list_tenants(&self.system(), search, page).await
    }

    /// How many tenants there are.
    pub async fn count_tenants(&self, caller: &Principal, search: &TenantSearch) -> Result<u64, GqlError> {
        caller.require_operator()?;
        Ok(queries::count_tenants(&self.system(), search).await?)
    }

    /// A tenant.
    pub async fn tenant(&self, caller: &Principal, id: TenantId) -> Result<Option<tenant::Model>, GqlError> {
        caller.require_operator()?;
        Ok(queries::find_tenant(&self.system(), id).await?)
    }

    /// Makes a tenant and its first owner: somebody with an account, or somebody new with a password made at random.
    pub async fn create_tenant(&self, caller: &Principal, wish: TenantWish) -> Result<CreatedTenant, Refusal> {
        caller.require_operator()?;
        let settings = Settings::parse(&wish.settings)?;
        let name = settings
            .name
            .ok_or_else(|| UserError::invalid("name", "A tenant needs a name."))?;
        let slug = wish.slug.as_deref().map(Slug::parse).transpose()?;
        self.check_plan(wish.plan).await?;
        let tenant = NewTenant {
            name: name.0,
            slug: slug.map(|slug| slug.0),
            default_country: settings.default_country.map_or_else(|| "ID".to_owned(), |code| code.0),
            default_language: settings.default_language.unwrap_or("en").to_owned(),
            time_zone: settings.time_zone.unwrap_or(chrono_tz::UTC).name().to_owned(),
            plan_id: wish.plan,
            limit_overrides: wish.overrides.write(),
        };
        let owner = NewOwner {
            email: wish.owner_email,
            name: wish.owner_name,
        };
        let (tenant, owner_password) = self
            .parts
            .accounts
            .create_tenant(&caller.as_operator(), tenant, owner)
            .await?;
        Ok(CreatedTenant { tenant, owner_password })
    }

    /// Changes a tenant's settings, short name, plan and limits.
    pub async fn update_tenant(
        &self,
        caller: &Principal,
        id: TenantId,
        change: TenantChange,
    ) -> Result<tenant::Model, Refusal> {
        use tenant::Column;
        caller.require_operator()?;
        let settings = Settings::parse(&change.settings)?;
        let slug = change.slug.as_deref().map(Slug::parse).transpose()?;
        if let Some(plan) = change.plan {
            self.check_plan(plan.id()).await?;
        }
        let mut columns = Vec::new();
        let mut set = |column, value: sea_orm::Value| columns.push((column, Expr::value(value)));
        if let Some(name) = settings.name {
            set(Column::Name, name.0.into());
        }
        if let Some(country) = settings.default_country {
            set(Column::DefaultCountry, country.0.into());
        }
        if let Some(language) = settings.default_language {
            set(Column::DefaultLanguage, language.into());
        }
        if let Some(zone) = settings.time_zone {
            set(Column::TimeZone, zone.name().into());
        }
        if let Some(slug) = slug {
            set(Column::Slug, slug.0.into());
        }
        if let Some(plan) = change.plan {
            set(Column::PlanId, plan.id().into());
        }
        if let Some(overrides) = change.overrides {
            set(Column::LimitOverrides, overrides.write().into());
        }
        self.change(caller, id, columns).await
    }

    /// Writes columns of a tenant and lets every part of this server see them at once.
    async fn change(
        &self,
        caller: &Principal,
        id: TenantId,
        mut columns: Vec<(tenant::Column, sea_orm::sea_query::SimpleExpr)>,
    ) -> Result<tenant::Model, Refusal> {
        let now = self.parts.clock.now();
        columns.push((tenant::Column::UpdatedAt, Expr::value(now)));
        let before = queries::find_tenant(&self.system(), id).await?.ok_or_else(no_tenant)?;
        let tx = self.system().begin().await?;
        let changed = queries::update_tenant(&tx, id, columns).await.map_err(taken_slug)?;
        let row = changed.ok_or_else(no_tenant)?;
        let told = Entry::of(Action::TenantUpdated, &id).named(&row.name);
        let told = told.changed(audited(&before), audited(&row));
        audit::record_beyond(&tx, Some(id), now, &caller.as_operator(), told).await?;
        tx.commit().await?;
        self.parts.profiles.forget();
        Ok(row)
    }

    async fn check_plan(&self, plan: Option<PlanId>) -> Result<(), Refusal> {
        let Some(id) = plan else { return Ok(()) };
        match queries::find_plan(&self.system(), id).await? {
            Some(_) => Ok(()),
            None => Err(UserError::not_found("plan").at("planId").into()),
        }
    }

    pub(super) fn system(&self) -> SystemScope {
        self.parts.store.system(Reason::Platform)
    }
}

/// What a tenant was when it was deleted, for the audit log.
pub(super) fn audited_now(row: &tenant::Model) -> serde_json::Value {
    audited(row)
}

/// Nothing is changed about a tenant that goes.
pub(super) fn check_not_deleting(tenant: &tenant::Model) -> Result<(), UserError> {
    if tenant.status == tenant::Status::Deleting {
        return Err(UserError::new(ErrorCode::Conflict, "The tenant is being deleted."));
    }
    Ok(())
}

pub(super) fn no_tenant() -> UserError {
    UserError::not_found("tenant").at("id")
}

fn taken_slug(error: sea_orm::DbErr) -> Refusal {
    Refusal::if_taken(
        error,
        UserError::new(ErrorCode::AlreadyExists, "Another tenant has this short name.").at("slug"),
    )
}
