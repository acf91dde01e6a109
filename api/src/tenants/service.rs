//! Accounts: who somebody is, and whether the password is right. `sessions.rs` is where sessions begin, go on and end.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::{TenantId, UserId, membership::Role, tenant, user_account};
use sea_orm::{DbErr, prelude::Uuid};
use tokio::sync::Semaphore;

use super::{
    authentication::Authenticator,
    letters::Links,
    password::{self, PasswordError, Passwords, Verdict},
    principal::Principal,
    profile::Profiles,
    queries,
    throttle::{Allowance, Throttle},
    token::Tokens,
    types::{Email, Entrance, Identity},
};
use crate::{
    audit::{self, Action, Actor, Entry},
    clock::Clock,
    config,
    events::EventLog,
    graphql::{ErrorCode, Fault, GqlError, Refusal, UserError, context::Origin},
    mail::Mailer,
    rates::{RateSettings, Rule},
    secret::Secret,
    store::{Reason, ScopeOrigin, Store, SystemScope, cipher::Cipher},
};

/// More requests whose work goes on beside them are not taken.
const BESIDE: usize = 16;

/// The accounts of this server. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) passwords: Passwords,
    pub(super) tokens: Tokens,
    pub(super) throttle: Arc<Throttle>,
    pub(super) rates: RateSettings,
    pub(super) authenticator: Authenticator,
    pub(super) sessions: config::Sessions,
    pub(super) cipher: Cipher,
    pub(super) mailer: Mailer,
    pub(super) links: Links,
    /// For work that nobody waits for, such as looking up who a mail goes to: a few at a time.
    pub(super) beside: Arc<Semaphore>,
    pub(super) events: EventLog,
}

/// What accounts are made of.
pub struct AccountParts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Signs access tokens.
    pub tokens: Tokens,
    /// The tenants as they are now.
    pub profiles: Profiles,
    /// How many logins may fail.
    pub rates: RateSettings,
    /// Encrypts second factors.
    pub cipher: Cipher,
    /// Mails links.
    pub mailer: Mailer,
    /// Where a stolen session is told of.
    pub events: EventLog,
}

impl Accounts {
    /// Puts the parts together.
    pub fn new(parts: AccountParts, config: &config::Config) -> Self {
        let AccountParts {
            store,
            clock,
            passwords,
            tokens,
            profiles,
            rates,
            cipher,
            mailer,
            events,
        } = parts;
        let authenticator = Authenticator::new(store.clone(), clock.clone(), tokens.clone(), profiles);
        let throttle = Arc::new(Throttle::default());
        Self {
            store,
            clock,
            passwords,
            tokens,
            throttle,
            rates,
            authenticator,
            sessions: config.sessions,
            cipher,
            mailer,
            links: Links::new(config.server.public_url.as_deref()),
            beside: Arc::new(Semaphore::new(BESIDE)),
            events,
        }
    }

    /// Checks access tokens.
    pub fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }

    /// The database, for the other files of this room.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The time, for the other files of this room.
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Hashes a password.
    pub(super) async fn hash(&self, password: Secret) -> Result<String, PasswordError> {
        self.passwords.hash(password).await
    }

    /// Begins a session, or asks for the second factor of somebody who has one and gave no code.
    pub async fn login(
        &self,
        email: &str,
        password: Secret,
        code: Option<&str>,
        tenant: Option<TenantId>,
        origin: Origin,
    ) -> Result<Entrance, Refusal> {
        let now = self.clock.now();
        // What can't be an address is treated like an unknown one, and counts as an attempt like one.
        let known_as = Email::parse(email).map_or_else(String::new, |email| email.as_str().to_owned());
        let attempt = self
            .throttle
            .begin(&known_as, origin.address, now, self.allowed_failures())
            .map_err(|retry_at| GqlError::from(Fault::RateLimited { retry_at }))?;
        let user = self.check_password(&known_as, password, &origin).await?;
        self.throttle.forgive(&attempt);
        self.after_password(user, tenant, code, origin).await
    }

    /// Who a person is.
    pub async fn identity(&self, principal: &Principal) -> Result<Identity, GqlError> {
        let person = principal.require_person()?;
        let system = self.system();
        let user = queries::find_user(&system, person.user_id).await?;
        let tenant = queries::find_tenant(&system, principal.tenant_id()).await?;
        let grant = match principal.grant() {
            Some(grant) => queries::find_grant(&system, grant.id).await?.map(Box::new),
            None => None,
        };
        match (user, tenant) {
            (Some(user), Some(tenant)) => Ok(Identity {
                user,
                tenant,
                role: person.role,
                grant,
            }),
            _ => Err(GqlError::unauthenticated()),
        }
    }

    /// The tenants a person belongs to.
    pub async fn memberships(&self, user: UserId) -> Result<Vec<(tenant::Model, Role)>, GqlError> {
        Ok(queries::list_memberships(&self.system(), user).await?)
    }

    /// The tenant of a principal.
    pub async fn tenant(&self, principal: &Principal) -> Result<tenant::Model, GqlError> {
        let tenant = queries::find_tenant(&self.system(), principal.tenant_id()).await?;
        tenant.ok_or_else(GqlError::unauthenticated)
    }

    pub(super) async fn check_password(
        &self,
        email: &str,
        password: Secret,
        origin: &Origin,
    ) -> Result<user_account::Model, Refusal> {
        if password.expose().len() > password::LONGEST {
            return Err(wrong_credentials().into());
        }
        let user = queries::find_user_by_email(&self.system(), email).await?;
        let stored = user.as_ref().map(|user| user.password_hash.as_str());
        let verdict = self
            .passwords
            .verify(password.clone(), stored)
            .await
            .map_err(internal)?;
        let user = match user {
            Some(user) if verdict != Verdict::Wrong => user,
            user => {
                self.note_failure(user.as_ref(), origin).await?;
                return Err(wrong_credentials().into());
            }
        };
        if verdict == Verdict::RightButOutdated {
            let hash = self.passwords.hash(password).await.map_err(internal)?;
            let tx = self.system().begin().await?;
            queries::set_password_hash(&tx, user.id, hash).await?;
            tx.commit().await?;
        }
        Ok(user)
    }

    /// Writes down a login that failed: in the person's first tenant, or in the platform's own log when nobody has the
    /// address, which is not kept. It takes the same work for both.
    pub(super) async fn note_failure(&self, user: Option<&user_account::Model>, origin: &Origin) -> Result<(), DbErr> {
        let id = user.map_or(UserId(Uuid::nil()), |user| user.id);
        let tenant = queries::home_tenant(&self.system(), id).await?;
        let entry = match user {
            Some(user) => Entry::of(Action::LoginFailed, &user.id).named(&user.email),
            None => Entry::without_object(Action::LoginFailed),
        };
        let tx = self.system().begin().await?;
        let actor = Actor::stranger(origin.clone());
        audit::record_beyond(&tx, tenant, self.clock.now(), &actor, entry).await?;
        tx.commit().await
    }

    /// How many logins may fail, as operators have it now.
    pub(super) fn allowed_failures(&self) -> Allowance {
        let allowed = |rule| {
            let limit = self.rates.limit(rule);
            let most = limit.most.and_then(|most| u32::try_from(most).ok());
            let window = TimeDelta::from_std(limit.window).unwrap_or(TimeDelta::minutes(5));
            (most.unwrap_or(u32::MAX), window)
        };
        let (per_account, account_window) = allowed(Rule::LoginFailuresPerAccount);
        let (per_address, address_window) = allowed(Rule::LoginFailuresPerAddress);
        Allowance {
            per_account,
            account_window,
            per_address,
            address_window,
        }
    }

    /// Hashes a password that may be set.
    pub(super) async fn hash_new(&self, password: Secret) -> Result<String, Refusal> {
        self.passwords.hash(password).await.map_err(internal)
    }

    pub(super) fn system(&self) -> SystemScope {
        self.store.system(Reason::Authentication)
    }
}

fn wrong_credentials() -> UserError {
    UserError::new(ErrorCode::InvalidCredentials, "Email or password is wrong.")
}

fn internal(error: PasswordError) -> Refusal {
    Refusal::Fault(GqlError::internal(error))
}
