//! From an access token to a [`Principal`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, Utc};
use entity::{SessionId, TenantId, UserId, audit_entry::ActorKind, tenant};
use sea_orm::DbErr;

use super::{
    principal::Principal,
    profile::{Profile, Profiles},
    queries,
    token::{Claims, RefreshToken, Tokens},
    types::{Standing, StandingKey, is_alive},
};
use crate::{
    audit::Actor,
    clock::Clock,
    graphql::context::Origin,
    secret::Secret,
    store::{Reason, ScopeOrigin, Store},
};

/// How long what the database said is believed: a logout on another node counts after this time.
const BELIEVED: Duration = Duration::from_secs(1);
/// More are not kept.
const MOST_STANDINGS: usize = 20_000;

/// Why a token gives no principal.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// It is malformed, forged, expired, or what stands behind it has ended. Which, callers are not told.
    #[error("the token is not valid")]
    Refused,
    /// The database could not be asked.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Checks access tokens. Cheap to clone.
#[derive(Clone)]
pub struct Authenticator {
    store: Store,
    clock: Clock,
    tokens: Tokens,
    profiles: Profiles,
    standings: Arc<Mutex<HashMap<StandingKey, (Instant, Standing)>>>,
}

impl Authenticator {
    /// Checks tokens against this database.
    pub fn new(store: Store, clock: Clock, tokens: Tokens, profiles: Profiles) -> Self {
        Self {
            store,
            clock,
            tokens,
            profiles,
            standings: Arc::default(),
        }
    }

    /// Who an access token speaks for, now.
    pub async fn authenticate(&self, token: &str, origin: &Origin) -> Result<Principal, AuthenticationError> {
        let now = self.clock.now();
        let claims = self
            .tokens
            .verify(token, now)
            .map_err(|_| AuthenticationError::Refused)?;
        let standing = self.standing((claims.session_id, claims.tenant_id)).await?;
        let standing = standing.filter(|standing| vouches_for(standing, &claims) && standing.session_expires_at > now);
        let standing = standing.ok_or(AuthenticationError::Refused)?;
        let ids = (claims.user_id, claims.session_id, claims.tenant_id);
        let profile = self.profile(claims.tenant_id).await?;
        Ok(principal(ids, &standing, claims.expires_at, origin, profile))
    }

    /// Who a browser's cookie speaks for. The refresh token in it is only looked at, not used up, and the principal lasts
    /// no longer than an access token would.
    pub async fn authenticate_cookie(
        &self,
        cookie: &Secret,
        origin: &Origin,
    ) -> Result<Principal, AuthenticationError> {
        let now = self.clock.now();
        let token = RefreshToken::read(cookie.expose()).ok_or(AuthenticationError::Refused)?;
        let system = self.store.system(Reason::Authentication);
        let row = queries::find_refresh_token(&system, &token.hash()).await?;
        let row = row.filter(|row| row.used_at.is_none() && row.expires_at > now);
        let row = row.ok_or(AuthenticationError::Refused)?;
        let session = queries::find_session(&system, row.session_id).await?;
        let session = session
            .filter(|session| is_alive(session, now))
            .ok_or(AuthenticationError::Refused)?;
        let tenant = session.tenant_id.ok_or(AuthenticationError::Refused)?;
        let standing = self
            .standing((session.id, tenant))
            .await?
            .ok_or(AuthenticationError::Refused)?;
        let ids = (session.user_id, session.id, tenant);
        let profile = self.profile(tenant).await?;
        Ok(principal(ids, &standing, now + self.tokens.lifetime(), origin, profile))
    }

    /// The tenant as it is now. One that is being deleted lets nobody in.
    async fn profile(&self, id: TenantId) -> Result<Arc<Profile>, AuthenticationError> {
        let found = self.profiles.get(id).await?;
        found
            .filter(|profile| profile.status != tenant::Status::Deleting)
            .ok_or(AuthenticationError::Refused)
    }

    /// A principal that was minted a while ago, with its tenant as it is now; none when it would not be minted any more.
    pub async fn renewed(&self, principal: &Principal) -> Result<Option<Principal>, DbErr> {
        if !self.still_stands(principal).await? {
            return Ok(None);
        }
        match self.profile(principal.tenant_id()).await {
            Ok(profile) => Ok(Some(principal.clone().with_profile(profile))),
            Err(AuthenticationError::Refused) => Ok(None),
            Err(AuthenticationError::Database(error)) => Err(error),
        }
    }

    /// Whether a principal that was minted a while ago would still be.
    pub async fn still_stands(&self, principal: &Principal) -> Result<bool, DbErr> {
        let now = self.clock.now();
        let standing = self.standing((principal.session_id(), principal.tenant_id())).await?;
        Ok(now < principal.expires_at()
            && standing.is_some_and(|standing| {
                standing.user_id == principal.user_id()
                    && standing.role == principal.role()
                    && standing.session_ended_at.is_none()
                    && standing.session_expires_at > now
            }))
    }

    /// Forgets what is believed about a session, so that its end counts at once on this node.
    pub fn forget_session(&self, session: SessionId) {
        self.forget(|(id, _), _| *id == session);
    }

    /// Forgets what is believed about all sessions of a person.
    pub fn forget_user(&self, user: UserId) {
        self.forget(|_, standing| standing.user_id == user);
    }

    fn forget(&self, which: impl Fn(&StandingKey, &Standing) -> bool) {
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        standings.retain(|key, (_, standing)| !which(key, standing));
    }

    async fn standing(&self, key: StandingKey) -> Result<Option<Standing>, DbErr> {
        let asked = Instant::now();
        {
            let standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((since, standing)) = standings.get(&key)
                && asked.duration_since(*since) < BELIEVED
            {
                return Ok(Some(standing.clone()));
            }
        }
        let found = queries::find_standing(&self.store.system(Reason::Authentication), key).await?;
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        if standings.len() >= MOST_STANDINGS {
            standings.retain(|_, (since, _)| asked.duration_since(*since) < BELIEVED);
        }
        match &found {
            // Believed from the moment it was asked, not answered: the answer may be older than its arrival.
            Some(standing) if standings.len() < MOST_STANDINGS => {
                standings.insert(key, (asked, standing.clone()));
            }
            _ => {
                standings.remove(&key);
            }
        }
        Ok(found)
    }
}

fn principal(
    ids: (UserId, SessionId, TenantId),
    standing: &Standing,
    expires_at: DateTime<Utc>,
    origin: &Origin,
    profile: Arc<Profile>,
) -> Principal {
    let actor = Actor::new(ActorKind::User, &ids.0, &standing.email, origin.clone());
    Principal::new(ids, standing.role, standing.operator, expires_at, actor, profile)
}

/// Whether the rows are those that the token speaks of, and alive. A token carries whole seconds only.
fn vouches_for(standing: &Standing, claims: &Claims) -> bool {
    standing.user_id == claims.user_id
        && standing.session_ended_at.is_none()
        && standing.password_changed_at.trunc_subsecs(0) <= claims.issued_at
}
