//! From an access token to a [`Principal`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::SubsecRound;
use entity::{SessionId, UserId};
use sea_orm::DbErr;

use super::{
    principal::Principal,
    queries,
    token::{Claims, Tokens},
    types::{Standing, StandingKey},
};
use crate::{
    clock::Clock,
    store::{Reason, Store},
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
    standings: Arc<Mutex<HashMap<StandingKey, (Instant, Standing)>>>,
}

impl Authenticator {
    /// Checks tokens against this database.
    pub fn new(store: Store, clock: Clock, tokens: Tokens) -> Self {
        Self { store, clock, tokens, standings: Arc::default() }
    }

    /// Who an access token speaks for, now.
    pub async fn authenticate(&self, token: &str) -> Result<Principal, AuthenticationError> {
        let now = self.clock.now();
        let claims = self.tokens.verify(token, now).map_err(|_| AuthenticationError::Refused)?;
        let standing = self.standing((claims.session_id, claims.tenant_id)).await?;
        let standing = standing.filter(|standing| vouches_for(standing, &claims) && standing.session_expires_at > now);
        let standing = standing.ok_or(AuthenticationError::Refused)?;
        let ids = (claims.user_id, claims.session_id, claims.tenant_id);
        Ok(Principal::new(ids, standing.role, standing.operator, claims.expires_at))
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

/// Whether the rows are those that the token speaks of, and alive. A token carries whole seconds only.
fn vouches_for(standing: &Standing, claims: &Claims) -> bool {
    standing.user_id == claims.user_id
        && standing.session_ended_at.is_none()
        && standing.password_changed_at.trunc_subsecs(0) <= claims.issued_at
}
