//! Logging in, staying logged in, logging out.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    SessionId, TenantId, UserId, access_grant, audit_entry::ActorKind, event, membership::Role, session, tenant,
    user_account,
};
use sea_orm::{ColumnTrait, Condition, DbErr, prelude::Uuid, sea_query::IntoCondition};
use serde_json::json;
use tokio::sync::Semaphore;

use super::{
    authentication::Authenticator,
    letters::Links,
    password::{self, PasswordError, Passwords, Verdict},
    principal::Principal,
    profile::Profiles,
    queries,
    throttle::{Allowance, Throttle},
    token::{RefreshToken, Tokens},
    types::{Email, Entrance, Identity, Session, is_alive, session_end},
};
use crate::{
    audit::{self, Action, Actor, Acts, Entry},
    clock::{Clock, new_id},
    config,
    events::{EventLog, NewEvent},
    graphql::{ErrorCode, Fault, GqlError, Refusal, UserError, context::Origin},
    mail::Mailer,
    rates::{RateSettings, Rule},
    secret::Secret,
    store::{Reason, ScopeOrigin, Store, SystemScope, SystemTx, cipher::Cipher},
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
    events: EventLog,
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

/// Where a person may act, as what, and by which grant.
type Place = (tenant::Model, Role, Option<access_grant::Model>);

/// What a refresh token of a living session turned out to be.
enum Presented {
    /// The newest of its session: it is used up now.
    Current,
    /// Replaced a moment ago, by a token that nobody has used yet.
    JustReplaced,
    /// Used before: somebody has a copy.
    Reused,
}

/// The tenant that a session acts in.
struct Home(TenantId);

impl ScopeOrigin for Home {
    fn tenant_id(&self) -> TenantId {
        self.0
    }
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

    /// Begins a session of somebody who has shown who it is, within a transaction.
    pub(super) async fn begin_session(
        &self,
        tx: &SystemTx,
        (user, tenant, role): (user_account::Model, tenant::Model, Role),
        origin: Origin,
    ) -> Result<Session, Refusal> {
        let now = self.clock.now();
        let actor = person(user.id, &user.email, &origin);
        let refresh_token = RefreshToken::random();
        let refresh_expires_at = session_end(now, now, self.sessions);
        let session = session::Model {
            id: new_id(),
            user_id: user.id,
            tenant_id: Some(tenant.id),
            created_at: now,
            last_used_at: now,
            expires_at: refresh_expires_at,
            ended_at: None,
            end_reason: None,
            address: origin.address.map(|address| address.to_string()),
            user_agent: origin.user_agent.as_deref().map(str::to_owned),
        };
        let session_id = session.id;
        queries::insert_session(tx, session).await?;
        let entry = Entry::of(Action::LoggedIn, &session_id);
        audit::record_beyond(tx, Some(tenant.id), now, &actor, entry).await?;
        self.keep(tx, session_id, &refresh_token, now, refresh_expires_at)
            .await?;
        self.issue(
            session_id,
            Identity {
                user,
                tenant,
                role,
                grant: None,
            },
            refresh_token,
            refresh_expires_at,
        )
    }

    /// Goes on with a session: gives a new access token, and a new refresh token for the one presented.
    pub async fn refresh(
        &self,
        presented: Option<&str>,
        tenant: Option<TenantId>,
        origin: Origin,
    ) -> Result<Session, Refusal> {
        let presented = presented.and_then(RefreshToken::read).ok_or_else(session_expired)?;
        let now = self.clock.now();
        let session = self
            .living_session(&presented, now)
            .await?
            .ok_or_else(session_expired)?;
        let identity = self.whereabouts(&session, tenant).await?;
        let (user, tenant) = (&identity.user, &identity.tenant);
        let successor = self.tokens.successor(&presented);
        let expires_at = session_end(session.created_at, now, self.sessions);

        let tx = self.system().begin().await?;
        match self.present(&tx, &presented, &successor, now).await? {
            Presented::Current => self.keep(&tx, session.id, &successor, now, expires_at).await?,
            Presented::JustReplaced => {}
            Presented::Reused => {
                queries::end_sessions(&tx, session::Column::Id.eq(session.id).into_condition(), "reuse", now).await?;
                let entry = Entry::of(Action::RefreshTokenReused, &session.id).named(&user.email);
                audit::record_beyond(&tx, session.tenant_id, now, &Actor::stranger(origin), entry).await?;
                self.tell_reuse(tx, &session).await?;
                self.authenticator.forget_session(session.id);
                tracing::warn!(session = %session.id, "a used refresh token came again: its session was ended");
                return Err(session_expired().into());
            }
        }
        queries::touch_session(&tx, session.id, tenant.id, now, expires_at).await?;
        if session.tenant_id != Some(tenant.id) {
            let actor = person(user.id, &user.email, &origin);
            let actor = match &identity.grant {
                Some(grant) => actor.under(&grant.id),
                None => actor,
            };
            let entry = Entry::of(Action::TenantEntered, &session.id);
            audit::record_beyond(&tx, Some(tenant.id), now, &actor, entry).await?;
        }
        tx.commit().await?;
        self.issue(session.id, identity, successor, expires_at)
    }

    /// Ends the session of the caller, or every session of the person.
    pub async fn logout(&self, principal: &Principal, everywhere: bool) -> Result<(), Refusal> {
        let person = principal.require_person()?;
        let tenant = Some(principal.tenant_id());
        self.end((person.session_id, person.user_id, tenant), principal, everywhere)
            .await
    }

    /// Ends the session of a refresh token. A token that is unknown or used up has nothing left to end.
    pub async fn logout_by_token(&self, presented: &str, everywhere: bool, origin: Origin) -> Result<(), Refusal> {
        let Some(token) = RefreshToken::read(presented) else {
            return Ok(());
        };
        let Some(session) = self.living_session(&token, self.clock.now()).await? else {
            return Ok(());
        };
        let user = queries::find_user(&self.system(), session.user_id).await?;
        let email = user.map(|user| user.email).unwrap_or_default();
        let actor = person(session.user_id, &email, &origin);
        self.end((session.id, session.user_id, session.tenant_id), &actor, everywhere)
            .await
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

    /// The session of a refresh token, when both may still be used.
    async fn living_session(&self, token: &RefreshToken, now: DateTime<Utc>) -> Result<Option<session::Model>, DbErr> {
        let system = self.system();
        let Some(row) = queries::find_refresh_token(&system, &token.hash()).await? else {
            return Ok(None);
        };
        let session = queries::find_session(&system, row.session_id).await?;
        Ok(session.filter(|session| is_alive(session, now) && row.expires_at > now))
    }

    /// Finds out what a refresh token is, and takes it when it is the newest one.
    async fn present(
        &self,
        tx: &SystemTx,
        token: &RefreshToken,
        successor: &RefreshToken,
        now: DateTime<Utc>,
    ) -> Result<Presented, DbErr> {
        if queries::claim_refresh_token(tx, &token.hash(), now).await? {
            return Ok(Presented::Current);
        }
        let grace = TimeDelta::from_std(self.sessions.refresh_grace).unwrap_or_default();
        let within_grace = |used_at: DateTime<Utc>| !grace.is_zero() && now - used_at <= grace;
        let used_at = queries::find_token_use(tx, &token.hash()).await?;
        let successor = queries::find_token_use(tx, &successor.hash()).await?;
        match (used_at, successor) {
            (Some(Some(used_at)), Some(None)) if within_grace(used_at) => Ok(Presented::JustReplaced),
            _ => Ok(Presented::Reused),
        }
    }

    /// Ends the transaction in which a stolen session was ended, with its event.
    async fn tell_reuse(&self, tx: SystemTx, session: &session::Model) -> Result<(), DbErr> {
        let Some(tenant) = session.tenant_id else {
            return tx.commit().await;
        };
        let event = NewEvent {
            r#type: event::Type::RefreshTokenReused,
            device_id: None,
            chat_id: None,
            message_id: None,
            data: json!({ "userId": session.user_id.to_string(), "sessionId": session.id.to_string() }),
        };
        self.events.commit(tx.narrow(&Home(tenant)), vec![event]).await
    }

    async fn whereabouts(&self, session: &session::Model, wanted: Option<TenantId>) -> Result<Identity, Refusal> {
        let system = self.system();
        let user = queries::find_user(&system, session.user_id)
            .await?
            .ok_or_else(session_expired)?;
        let mut places: Vec<Place> = queries::list_memberships(&system, user.id)
            .await?
            .into_iter()
            .map(|(tenant, role)| (tenant, role, None))
            .collect();
        if user.operator {
            let granted = queries::list_grants(&system, user.id, self.clock.now()).await?;
            places.extend(
                granted
                    .into_iter()
                    .map(|(tenant, grant)| (tenant, grant.role, Some(grant))),
            );
        }
        let last = session
            .tenant_id
            .filter(|last| places.iter().any(|(tenant, ..)| tenant.id == *last));
        let (tenant, role, grant) = choose(places, wanted.or(last), |place| place.0.id)?;
        Ok(Identity {
            user,
            tenant,
            role,
            grant: grant.map(Box::new),
        })
    }

    async fn keep(
        &self,
        tx: &SystemTx,
        session: SessionId,
        token: &RefreshToken,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        queries::insert_refresh_token(tx, new_id(), session, token.hash(), (now, expires_at)).await
    }

    fn issue(
        &self,
        session: SessionId,
        identity: Identity,
        refresh_token: RefreshToken,
        refresh_expires_at: DateTime<Utc>,
    ) -> Result<Session, Refusal> {
        let now = self.clock.now();
        let (access_token, expires_at) = self
            .tokens
            .sign(identity.user.id, identity.tenant.id, session, now)
            .map_err(|error| Refusal::Fault(GqlError::internal(error)))?;
        Ok(Session {
            access_token,
            expires_at,
            refresh_token,
            refresh_expires_at,
            identity,
        })
    }

    async fn end(
        &self,
        (session, user, tenant): (SessionId, UserId, Option<TenantId>),
        who: &impl Acts,
        everywhere: bool,
    ) -> Result<(), Refusal> {
        let which: Condition = if everywhere {
            Condition::all().add(session::Column::UserId.eq(user))
        } else {
            Condition::all().add(session::Column::Id.eq(session))
        };
        let entry = if everywhere {
            Entry::of(Action::LoggedOut, &user)
        } else {
            Entry::of(Action::LoggedOut, &session)
        };
        let now = self.clock.now();
        let tx = self.system().begin().await?;
        queries::end_sessions(&tx, which, "logout", now).await?;
        audit::record_beyond(&tx, tenant, now, who, entry).await?;
        tx.commit().await?;
        if everywhere {
            self.authenticator.forget_user(user);
        } else {
            self.authenticator.forget_session(session);
        }
        Ok(())
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

/// The wanted tenant, or the first one.
pub(super) fn choose<P>(places: Vec<P>, wanted: Option<TenantId>, id: impl Fn(&P) -> TenantId) -> Result<P, UserError> {
    let mut places = places.into_iter();
    match wanted {
        Some(wanted) => places
            .find(|place| id(place) == wanted)
            .ok_or_else(|| UserError::not_found("tenant").at("tenantId")),
        None => places
            .next()
            .ok_or_else(|| UserError::new(ErrorCode::Forbidden, "This account belongs to no tenant.")),
    }
}

fn person(id: UserId, email: &str, origin: &Origin) -> Actor {
    Actor::new(ActorKind::User, &id, email, origin.clone())
}

fn wrong_credentials() -> UserError {
    UserError::new(ErrorCode::InvalidCredentials, "Email or password is wrong.")
}

fn session_expired() -> UserError {
    UserError::new(ErrorCode::SessionExpired, "The session has ended. Log in again.")
}

fn internal(error: PasswordError) -> Refusal {
    Refusal::Fault(GqlError::internal(error))
}
