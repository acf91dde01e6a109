//! Turning the second factor on and off, and checking codes.

use chrono::TimeDelta;
use entity::{UserId, second_factor, user_account};
use sea_orm::DbErr;
use totp_rs::TotpError;

use super::{
    queries,
    types::{Code, TotpSecret, recovery_codes, recovery_hash},
};
use crate::{
    audit::{self, Action, Actor, Acts, Entry},
    clock::Clock,
    graphql::{ErrorCode, Fault, GqlError, Refusal, UserError, context::Origin},
    secret::Secret,
    store::{Reason, ScopeOrigin, Store, SystemTx},
    tenants::{Principal, queries as accounts, service::Accounts, types::Email},
};

/// How long a secret waits to be confirmed.
pub const SETUP: TimeDelta = TimeDelta::minutes(15);

/// A secret that waits to be confirmed.
pub struct Enrollment {
    pub secret: Secret,
    pub uri: Secret,
}

/// What a code was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepted {
    Totp,
    Recovery,
}

impl Accounts {
    /// Makes a secret for an authenticator app. It counts once it is confirmed.
    pub async fn enroll_second_factor(&self, caller: &Principal, password: Secret) -> Result<Enrollment, Refusal> {
        let user = self.with_password(caller, password).await?;
        let secret = TotpSecret::random();
        let sealed = self
            .cipher
            .seal(&place(user.id), secret.bytes())
            .map_err(GqlError::internal)?;
        let tx = self.system().begin().await?;
        let enrolled = queries::enroll(&tx, user.id, sealed, self.clock().now()).await;
        if !enrolled.map_err(twice)? {
            return Err(is_on().into());
        }
        tx.commit().await?;
        Ok(Enrollment {
            secret: secret.base32().map_err(unusable)?,
            uri: secret.uri(&user.email).map_err(unusable)?,
        })
    }

    /// Turns the second factor on, by the first code of the app. Answers the recovery codes: this once.
    pub async fn confirm_second_factor(&self, caller: &Principal, code: &str) -> Result<Vec<Secret>, Refusal> {
        let person = caller.require_person()?;
        let now = self.clock().now();
        let row = queries::find(&self.system(), person.user_id).await?;
        let row = row.filter(|row| row.confirmed_at.is_some() || now - row.created_at <= SETUP);
        let row = row.ok_or_else(|| {
            let message = "Begin with a new secret: there is none that waits for its first code.";
            UserError::new(ErrorCode::Conflict, message)
        })?;
        if row.confirmed_at.is_some() {
            return Err(is_on().into());
        }
        let attempt = self.begin_code(person.user_id, &caller.actor().origin)?;
        let step = match Code::read(code) {
            Some(Code::Totp(digits)) => self.opened(&row)?.step_of(&digits, now.timestamp()).map_err(unusable)?,
            _ => None,
        };
        let step = step.ok_or_else(wrong_code)?;
        let codes = recovery_codes();
        let tx = self.system().begin().await?;
        if !queries::confirm(&tx, &row, step, now).await? {
            return Err(is_on().into());
        }
        self.keep_codes(&tx, person.user_id, &codes).await?;
        let entry = Entry::of(Action::SecondFactorEnabled, &person.user_id);
        audit::record_beyond(&tx, Some(caller.tenant_id()), now, caller, entry).await?;
        tx.commit().await?;
        self.throttle.forgive(&attempt);
        Ok(codes)
    }

    /// Makes new recovery codes; the old ones end.
    pub async fn renew_recovery_codes(
        &self,
        caller: &Principal,
        password: Secret,
        code: &str,
    ) -> Result<Vec<Secret>, Refusal> {
        let user = self.with_both_factors(caller, password, code).await?;
        let now = self.clock().now();
        let codes = recovery_codes();
        let tx = self.system().begin().await?;
        self.keep_codes(&tx, user.id, &codes).await?;
        let entry = Entry::of(Action::RecoveryCodesRenewed, &user.id);
        audit::record_beyond(&tx, Some(caller.tenant_id()), now, caller, entry).await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Turns the second factor off.
    pub async fn disable_second_factor(&self, caller: &Principal, password: Secret, code: &str) -> Result<(), Refusal> {
        let user = self.with_both_factors(caller, password, code).await?;
        let tx = self.system().begin().await?;
        if !queries::remove(&tx, user.id).await? {
            return Err(is_off().into());
        }
        let entry = Entry::of(Action::SecondFactorDisabled, &user.id);
        audit::record_beyond(&tx, Some(caller.tenant_id()), self.clock().now(), caller, entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether a person's second factor is on.
    pub async fn second_factor(&self, user: UserId) -> Result<Option<(chrono::DateTime<chrono::Utc>, u64)>, GqlError> {
        Ok(queries::state(&self.system(), user).await?)
    }

    /// Uses up a code of somebody whose second factor is on. A wrong one is written down like a wrong password.
    pub(super) async fn spend_code(
        &self,
        user: &user_account::Model,
        code: &str,
        origin: &Origin,
    ) -> Result<(), Refusal> {
        let attempt = self.begin_code(user.id, origin)?;
        let row = queries::find(&self.system(), user.id).await?;
        let row = row.filter(|row| row.confirmed_at.is_some()).ok_or_else(is_off)?;
        match self.claim(&row, code).await? {
            Some(Accepted::Totp) => {}
            Some(Accepted::Recovery) => self.note_recovery(user, origin).await?,
            None => {
                self.note_failure(Some(user), origin).await?;
                return Err(wrong_code().into());
            }
        }
        self.throttle.forgive(&attempt);
        Ok(())
    }

    async fn claim(&self, row: &second_factor::Model, code: &str) -> Result<Option<Accepted>, Refusal> {
        let now = self.clock().now();
        let tx = self.system().begin().await?;
        let accepted = match Code::read(code) {
            Some(Code::Totp(digits)) => {
                let step = self.opened(row)?.step_of(&digits, now.timestamp()).map_err(unusable)?;
                match step {
                    Some(step) if queries::claim_step(&tx, row.user_id, step).await? => Some(Accepted::Totp),
                    _ => None,
                }
            }
            Some(Code::Recovery(letters)) => {
                let hash = recovery_hash(row.user_id, &letters);
                let taken = queries::claim_recovery_code(&tx, row.user_id, hash, now).await?;
                taken.then_some(Accepted::Recovery)
            }
            None => None,
        };
        tx.commit().await?;
        Ok(accepted)
    }

    async fn note_recovery(&self, user: &user_account::Model, origin: &Origin) -> Result<(), DbErr> {
        let tx = self.system().begin().await?;
        let tenant = accounts::home_tenant(&self.system(), user.id).await?;
        let entry = Entry::of(Action::RecoveryCodeUsed, &user.id).named(&user.email);
        let actor = Actor::new(
            entity::audit_entry::ActorKind::User,
            &user.id,
            &user.email,
            origin.clone(),
        );
        audit::record_beyond(&tx, tenant, self.clock().now(), &actor, entry).await?;
        tx.commit().await
    }

    /// The caller, who knows the password.
    async fn with_password(&self, caller: &Principal, password: Secret) -> Result<user_account::Model, Refusal> {
        let person = caller.require_person()?;
        let user = accounts::find_user(&self.system(), person.user_id).await?;
        let user = user.ok_or_else(GqlError::unauthenticated)?;
        self.know_password(caller, &user, password).await?;
        Ok(user)
    }

    /// The caller, who knows the password and has the app or a recovery code.
    async fn with_both_factors(
        &self,
        caller: &Principal,
        password: Secret,
        code: &str,
    ) -> Result<user_account::Model, Refusal> {
        let user = self.with_password(caller, password).await?;
        if queries::state(&self.system(), user.id).await?.is_none() {
            return Err(is_off().into());
        }
        self.spend_code(&user, code, &caller.actor().origin).await?;
        Ok(user)
    }

    fn begin_code(&self, user: UserId, origin: &Origin) -> Result<crate::tenants::throttle::Attempt, GqlError> {
        // No address looks like this: guesses of codes are counted apart from those of passwords.
        let account = format!("second factor of {user}");
        self.throttle
            .begin(&account, origin.address, self.clock().now(), self.allowed_failures())
            .map_err(|retry_at| GqlError::from(Fault::RateLimited { retry_at }))
    }

    fn opened(&self, row: &second_factor::Model) -> Result<TotpSecret, GqlError> {
        let opened = self.cipher.open(&place(row.user_id), &row.secret);
        Ok(TotpSecret::from_bytes(opened.map_err(GqlError::internal)?))
    }

    async fn keep_codes(&self, tx: &SystemTx, user: UserId, codes: &[Secret]) -> Result<(), DbErr> {
        let plain = |code: &Secret| code.expose().replace('-', "");
        let hashes = codes.iter().map(|code| recovery_hash(user, &plain(code)));
        queries::replace_recovery_codes(tx, user, hashes.collect(), self.clock().now()).await
    }
}

/// Turns somebody's second factor off from the server's own machine. False when there is nobody with the address, or
/// nothing to turn off.
pub async fn reset(store: &Store, clock: &Clock, email: &str) -> Result<bool, DbErr> {
    let system = store.system(Reason::Provisioning);
    let Some(email) = Email::parse(email) else {
        return Ok(false);
    };
    let Some(user) = accounts::find_user_by_email(&system, email.as_str()).await? else {
        return Ok(false);
    };
    let tenant = accounts::home_tenant(&system, user.id).await?;
    let tx = system.begin().await?;
    if !queries::remove(&tx, user.id).await? {
        return Ok(false);
    }
    let entry = Entry::of(Action::SecondFactorReset, &user.id).named(&user.email);
    audit::record_beyond(&tx, tenant, clock.now(), &Actor::system(), entry).await?;
    tx.commit().await?;
    Ok(true)
}

/// What a secret is sealed for.
pub fn place(user: UserId) -> Vec<u8> {
    let mut place = b"totp secret".to_vec();
    place.extend_from_slice(user.0.as_bytes());
    place
}

fn wrong_code() -> UserError {
    let message = "The code is wrong, too old, or was used already. Wait for the next one.";
    UserError::new(ErrorCode::InvalidCode, message).at("code")
}

fn is_on() -> UserError {
    UserError::new(ErrorCode::Conflict, "The second factor is on already.")
}

fn is_off() -> UserError {
    UserError::new(ErrorCode::Conflict, "The second factor is off.")
}

/// Two requests at the same moment: one secret is shown, and it is the one that is kept.
fn twice(error: DbErr) -> Refusal {
    Refusal::if_taken(
        error,
        UserError::new(ErrorCode::Conflict, "Another request made a secret at this moment."),
    )
}

fn unusable(error: TotpError) -> Refusal {
    Refusal::Fault(GqlError::internal(error))
}
