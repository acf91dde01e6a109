//! Where sessions begin, go on and end.
//!
//! **Invariant:** a refresh token is used once. One that comes again ends its session, with an event and an audit entry,
//! but for the moment in which two tabs of a browser may ask at once.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    SessionId, TenantId, UserId, access_grant, audit_entry::ActorKind, event, membership::Role, session, tenant,
    user_account,
};
use sea_orm::{ColumnTrait, Condition, DbErr, sea_query::IntoCondition};
use serde_json::json;

use super::{
    principal::Principal,
    queries,
    service::Accounts,
    token::RefreshToken,
    types::{Identity, Session, is_alive, session_end},
};
use crate::{
    audit::{self, Action, Actor, Acts, Entry},
    clock::new_id,
    events::NewEvent,
    graphql::{ErrorCode, GqlError, Refusal, UserError, context::Origin},
    store::{ScopeOrigin, SystemTx},
};

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
        let data = json!({ "userId": session.user_id.to_string(), "sessionId": session.id.to_string() });
        let event = NewEvent::of_tenant(event::Type::RefreshTokenReused, data);
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

fn session_expired() -> UserError {
    UserError::new(ErrorCode::SessionExpired, "The session has ended. Log in again.")
}
