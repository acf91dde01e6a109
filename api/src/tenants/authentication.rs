//! From an access token to a [`Principal`].

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound, Utc};
use entity::{ApiTokenId, SessionId, TenantId, UserId, audit_entry::ActorKind, tenant};
use sea_orm::DbErr;
use tokio::sync::watch;

use super::{
    api_tokens::{self, LastUses, TokenSecret, TokenStanding},
    believed::Believed,
    principal::{Person, Principal},
    profile::{Profile, Profiles},
    queries,
    token::{Claims, RefreshToken, Tokens},
    types::{Grant, Standing, StandingKey, is_alive},
};
use crate::{
    audit::{Actor, Acts},
    clock::Clock,
    graphql::context::Origin,
    secret::Secret,
    store::{Reason, ScopeOrigin, Store},
};

/// How long what the database said is believed: a logout or a revocation on another node counts after this time. With the
/// pause in which websockets look again it stays below a second.
const BELIEVED: Duration = Duration::from_millis(500);

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

/// Checks access tokens and API tokens. Cheap to clone.
#[derive(Clone)]
pub struct Authenticator {
    store: Store,
    clock: Clock,
    tokens: Tokens,
    profiles: Profiles,
    standings: Arc<Believed<StandingKey, Standing>>,
    programs: Arc<Believed<Vec<u8>, Arc<TokenStanding>>>,
    uses: LastUses,
    /// Grows whenever something is forgotten.
    changes: Arc<watch::Sender<u64>>,
}

impl Authenticator {
    /// Checks tokens against this database.
    pub fn new(store: Store, clock: Clock, tokens: Tokens, profiles: Profiles) -> Self {
        Self {
            store,
            clock,
            tokens,
            profiles,
            standings: Arc::new(Believed::new(BELIEVED)),
            programs: Arc::new(Believed::new(BELIEVED)),
            uses: LastUses::default(),
            changes: Arc::new(watch::Sender::new(0)),
        }
    }

    /// When API tokens were used last.
    pub(super) fn uses(&self) -> &LastUses {
        &self.uses
    }

    /// Tells when a session or a token ended on this node: whoever keeps a principal looks at it again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Writes down when API tokens were used last. Called every minute, and before the server stops.
    pub async fn keep_uses(&self) -> Result<(), DbErr> {
        self.uses.flush(&self.store).await
    }

    /// Who an access token or an API token speaks for, now.
    pub async fn authenticate(&self, token: &str, origin: &Origin) -> Result<Principal, AuthenticationError> {
        let now = self.clock.now();
        if TokenSecret::is_meant(token) {
            return self.authenticate_program(token, origin).await;
        }
        let claims = self
            .tokens
            .verify(token, now)
            .map_err(|_| AuthenticationError::Refused)?;
        let standing = self.standing((claims.session_id, claims.tenant_id)).await?;
        let standing = standing.filter(|standing| vouches_for(standing, &claims) && stands(standing, now));
        let standing = standing.ok_or(AuthenticationError::Refused)?;
        let key = (claims.session_id, claims.tenant_id);
        let profile = self.profile(claims.tenant_id).await?;
        Ok(principal(key, &standing, claims.expires_at, origin, profile))
    }

    async fn authenticate_program(&self, token: &str, origin: &Origin) -> Result<Principal, AuthenticationError> {
        let now = self.clock.now();
        let secret = TokenSecret::read(token).ok_or(AuthenticationError::Refused)?;
        let standing = self.program(&secret.hash()).await?;
        let standing = standing
            .filter(|standing| standing.admits(origin.address, now))
            .ok_or(AuthenticationError::Refused)?;
        let profile = self.profile(standing.tenant_id).await?;
        self.uses.note(standing.id, now, origin.address);
        let actor = Actor::new(ActorKind::ApiToken, &standing.id, &standing.name, origin.clone());
        Ok(Principal::of_program(standing, actor, profile))
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
        let standing = self.standing((session.id, tenant)).await?;
        let standing = standing
            .filter(|standing| stands(standing, now))
            .ok_or(AuthenticationError::Refused)?;
        let key = (session.id, tenant);
        let profile = self.profile(tenant).await?;
        Ok(principal(key, &standing, now + self.tokens.lifetime(), origin, profile))
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
        if now >= principal.expires_at() {
            return Ok(false);
        }
        if let Some(token) = principal.token() {
            // Whatever changed about a token, its websockets come back and begin anew.
            let address = principal.actor().origin.address;
            let standing = self.program(&token.secret_hash).await?;
            return Ok(standing.is_some_and(|now_known| now_known == *token && now_known.admits(address, now)));
        }
        let Some(person) = principal.person() else {
            return Ok(false);
        };
        let standing = self.standing((person.session_id, principal.tenant_id())).await?;
        Ok(standing.is_some_and(|standing| {
            standing.user_id == person.user_id
                && standing.role == person.role
                && standing.grant == principal.grant()
                && standing.session_ended_at.is_none()
                && stands(&standing, now)
        }))
    }

    /// Forgets what is believed about an API token, so that a change counts at once on this node.
    pub(super) fn forget_token(&self, id: ApiTokenId) {
        self.programs.forget(|_, standing| standing.id == id);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Forgets what is believed about a session, so that its end counts at once on this node.
    pub fn forget_session(&self, session: SessionId) {
        self.forget(|(id, _), _| *id == session);
    }

    /// Lets everybody who keeps a principal look at it again: something about a tenant has changed.
    pub fn look_again(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Forgets what is believed about all sessions of a person.
    pub fn forget_user(&self, user: UserId) {
        self.forget(|_, standing| standing.user_id == user);
    }

    fn forget(&self, which: impl Fn(&StandingKey, &Standing) -> bool) {
        self.standings.forget(which);
        self.changes.send_modify(|changes| *changes += 1);
    }

    async fn program(&self, hash: &[u8]) -> Result<Option<Arc<TokenStanding>>, DbErr> {
        let ask = async {
            let found = api_tokens::find_by_secret(&self.store.system(Reason::Authentication), hash).await?;
            Ok(found.map(|row| Arc::new(TokenStanding::from(row))))
        };
        self.programs.get(hash, ask).await
    }

    async fn standing(&self, key: StandingKey) -> Result<Option<Standing>, DbErr> {
        let system = self.store.system(Reason::Authentication);
        let now = self.clock.now();
        self.standings
            .get(&key, queries::find_standing(&system, key, now))
            .await
    }
}

fn principal(
    (session_id, tenant_id): StandingKey,
    standing: &Standing,
    expires_at: DateTime<Utc>,
    origin: &Origin,
    profile: Arc<Profile>,
) -> Principal {
    let person = Person {
        user_id: standing.user_id,
        session_id,
        role: standing.role,
        operator: standing.operator,
    };
    let actor = Actor::new(ActorKind::User, &person.user_id, &standing.email, origin.clone());
    Principal::of_person(person, tenant_id, expires_at, actor, profile).under(standing.grant)
}

/// Whether neither the session nor the grant has run out.
fn stands(standing: &Standing, now: DateTime<Utc>) -> bool {
    standing.session_expires_at > now && Grant::holds(standing.grant, now)
}

/// Whether the rows are those that the token speaks of, and alive. A token carries whole seconds only.
fn vouches_for(standing: &Standing, claims: &Claims) -> bool {
    standing.user_id == claims.user_id
        && standing.session_ended_at.is_none()
        && standing.password_changed_at.trunc_subsecs(0) <= claims.issued_at
}
