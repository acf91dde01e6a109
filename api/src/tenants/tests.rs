//! What sessions promise, on a fresh database with a clock that is held.

use chrono::{DateTime, TimeDelta};
use entity::{TenantId, membership, tenant};

use super::{service::Accounts, *};
use crate::{
    clock::{Clock, new_id},
    config::Config,
    graphql::{ErrorCode, Refusal, context::Origin},
    secret::Secret,
    store::{DatabaseOptions, Reason, ScopeOrigin, Store},
};

const EMAIL: &str = "operator@kabar.localhost";
const PASSWORD: &str = "correct horse";

struct Stage {
    accounts: Accounts,
    clock: Clock,
    store: Store,
    _folder: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config::for_tests(&[
            ("secret_key", "0123456789abcdef0123456789abcdef-test"),
            ("first_run.operator_password", PASSWORD),
            ("passwords.memory_kib", "64"),
            ("passwords.iterations", "1"),
        ])
        .expect("valid");
        let clock = Clock::held_at(DateTime::from_timestamp(1_800_000_000, 0).expect("a moment"));
        let options = DatabaseOptions::at(format!("sqlite://{}/kabar.db", folder.path().display()));
        let store = Store::open(&options).await.expect("a database opens");
        store.migrate().await.expect("it migrates");
        let passwords = Passwords::new(config.passwords).expect("valid parameters");
        prepare(&store, &clock, &passwords, &config.first_run)
            .await
            .expect("an operator is made");
        let tokens = Tokens::new(
            crate::keys::SigningKeys::new(vec![crate::keys::SigningKey::lasting([1; 32])]),
            &config.master_key,
            config.sessions.access_token,
        );
        let accounts = Accounts::new(
            AccountParts {
                store: store.clone(),
                clock: clock.clone(),
                passwords,
                tokens,
                profiles: Profiles::new(store.clone()),
                rates: crate::rates::RateSettings::new(store.clone(), &config),
                cipher: crate::store::cipher::Cipher::new([(1, [7; 32])]).expect("a key"),
                mailer: crate::mail::Mailer::start(&config.mail).expect("no mail"),
                events: crate::events::EventLog::new(clock.clone(), crate::events::Bus::default()),
            },
            &config,
        );
        Self {
            accounts,
            clock,
            store,
            _folder: folder,
        }
    }

    async fn login(&self) -> types::Session {
        self.try_login(EMAIL, PASSWORD).await.expect("the login is right")
    }

    async fn try_login(&self, email: &str, password: &str) -> Result<types::Session, Refusal> {
        self.accounts
            .login(email, Secret::new(password), None, None, Origin::default())
            .await
            .map(|entrance| match entrance {
                types::Entrance::Session(session) => *session,
                types::Entrance::Challenge(_) => panic!("nobody has a second factor here"),
            })
    }

    async fn is_in(&self, session: &types::Session) -> bool {
        self.accounts
            .authenticator()
            .authenticate(session.access_token.expose(), &Origin::default())
            .await
            .is_ok()
    }

    async fn refresh(&self, token: &token::RefreshToken) -> Result<types::Session, Refusal> {
        self.accounts
            .refresh(Some(token.expose()), None, Origin::default())
            .await
    }

    /// Another tenant, of which the operator is a member or not.
    async fn another_tenant(&self, member: Option<entity::UserId>) -> TenantId {
        let id: TenantId = new_id();
        let now = self.clock.now();
        let tx = self
            .store
            .system(Reason::Provisioning)
            .begin()
            .await
            .expect("it begins");
        let row = tenant::Model {
            id,
            name: "Other".into(),
            slug: id.to_string(),
            status: tenant::Status::Active,
            default_country: "ID".into(),
            default_language: "id".into(),
            time_zone: "Asia/Jakarta".into(),
            plan_id: None,
            limit_overrides: serde_json::json!({}),
            suspended_at: None,
            suspension_reason: None,
            created_at: now,
            updated_at: now,
        };
        queries::insert_tenant(&tx, row).await.expect("inserted");
        if let Some(user_id) = member {
            let role = membership::Role::Agent;
            let row = membership::Model {
                id: new_id(),
                tenant_id: id,
                user_id,
                role,
                created_at: now,
            };
            queries::insert_membership(&tx, row).await.expect("inserted");
        }
        tx.commit().await.expect("it commits");
        id
    }
}

fn code<T>(result: Result<T, Refusal>) -> Option<ErrorCode> {
    match result {
        Err(Refusal::User(errors)) => errors.first().map(|error| error.code),
        _ => None,
    }
}

#[tokio::test]
async fn a_login_is_worth_its_lifetime() {
    let stage = Stage::new().await;
    let session = stage.login().await;
    assert!(stage.is_in(&session).await);
    stage.clock.advance(TimeDelta::minutes(10));
    assert!(!stage.is_in(&session).await);
}

#[tokio::test]
async fn wrong_passwords_and_unknown_accounts_get_the_same_answer() {
    let stage = Stage::new().await;
    for (email, password) in [
        (EMAIL, "wrong"),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
    ] {
        assert_eq!(
            code(stage.try_login(email, password).await),
            Some(ErrorCode::InvalidCredentials),
            "{email}"
        );
    }
    assert!(stage.try_login(&EMAIL.to_uppercase(), PASSWORD).await.is_ok());
}

#[tokio::test]
async fn an_unknown_account_costs_as_many_hashes_as_a_wrong_password() {
    let stage = Stage::new().await;
    let mut costs = Vec::new();
    for (email, password) in [
        (EMAIL, "wrong"),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
    ] {
        let before = stage.accounts.passwords.computed();
        assert!(stage.try_login(email, password).await.is_err());
        costs.push(stage.accounts.passwords.computed() - before);
    }
    assert_eq!(costs, [1, 1, 1, 1]);
    // What is too long to be a password is refused before anything is hashed, whoever it is for.
    let long = "x".repeat(password::LONGEST + 1);
    let before = stage.accounts.passwords.computed();
    for email in [EMAIL, "nobody@example.com"] {
        assert_eq!(
            code(stage.try_login(email, &long).await),
            Some(ErrorCode::InvalidCredentials)
        );
    }
    assert_eq!(stage.accounts.passwords.computed(), before);
}

#[tokio::test]
async fn a_login_hashes_the_password_anew_when_the_parameters_have_changed() {
    let mut stage = Stage::new().await;
    let hash = async |stage: &Stage| {
        let system = stage.store.system(Reason::Authentication);
        let user = queries::find_user_by_email(&system, EMAIL).await.expect("read");
        user.expect("there is one").password_hash
    };
    let session = stage.login().await;
    let old = hash(&stage).await;
    assert!(old.contains("m=64,t=1,p=1"), "{old}");
    stage.accounts.passwords = Passwords::new(crate::config::Passwords {
        memory_kib: 128,
        iterations: 2,
        parallelism: 1,
        concurrency: 2,
    })
    .expect("valid parameters");
    assert!(stage.try_login(EMAIL, "wrong").await.is_err());
    assert_eq!(hash(&stage).await, old, "a wrong password changes nothing");
    stage.login().await;
    let new = hash(&stage).await;
    assert!(new.contains("m=128,t=2,p=1"), "{new}");
    assert!(stage.is_in(&session).await, "sessions go on");
    stage.login().await;
    assert_eq!(hash(&stage).await, new, "once is enough");
}

#[tokio::test]
async fn many_failures_close_the_account_for_a_while() {
    let stage = Stage::new().await;
    for _ in 0..5 {
        assert_eq!(
            code(stage.try_login(EMAIL, "wrong").await),
            Some(ErrorCode::InvalidCredentials)
        );
    }
    assert!(matches!(stage.try_login(EMAIL, PASSWORD).await, Err(Refusal::Fault(_))));
    stage.clock.advance(TimeDelta::minutes(5));
    assert!(stage.try_login(EMAIL, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_refresh_token_is_replaced_by_use() {
    let stage = Stage::new().await;
    let first = stage.login().await;
    stage.clock.advance(TimeDelta::hours(1));
    let second = stage.refresh(&first.refresh_token).await.expect("it is the newest");
    assert!(stage.is_in(&second).await);
    assert_ne!(first.refresh_token.expose(), second.refresh_token.expose());
    stage.clock.advance(TimeDelta::hours(1));
    assert!(stage.refresh(&second.refresh_token).await.is_ok());
}

#[tokio::test]
async fn two_tabs_that_refresh_at_the_same_moment_both_go_on() {
    let stage = Stage::new().await;
    let first = stage.login().await;
    let (one, other) = tokio::join!(stage.refresh(&first.refresh_token), stage.refresh(&first.refresh_token));
    let (one, other) = (one.expect("one tab"), other.expect("the other tab"));
    assert_eq!(one.refresh_token.expose(), other.refresh_token.expose());
    assert!(stage.is_in(&one).await && stage.is_in(&other).await);
}

#[tokio::test]
async fn a_used_refresh_token_that_comes_again_ends_the_session() {
    let stage = Stage::new().await;
    let first = stage.login().await;
    let second = stage.refresh(&first.refresh_token).await.expect("it is the newest");
    stage.clock.advance(TimeDelta::seconds(11));
    assert_eq!(
        code(stage.refresh(&first.refresh_token).await),
        Some(ErrorCode::SessionExpired)
    );
    assert_eq!(
        code(stage.refresh(&second.refresh_token).await),
        Some(ErrorCode::SessionExpired)
    );
    assert!(!stage.is_in(&second).await, "access tokens of the session end too");
}

#[tokio::test]
async fn a_replay_counts_as_reuse_once_its_replacement_was_used() {
    let stage = Stage::new().await;
    let first = stage.login().await;
    let second = stage.refresh(&first.refresh_token).await.expect("it is the newest");
    let third = stage.refresh(&second.refresh_token).await.expect("it is the newest");
    assert_eq!(
        code(stage.refresh(&first.refresh_token).await),
        Some(ErrorCode::SessionExpired)
    );
    assert!(!stage.is_in(&third).await);
}

#[tokio::test]
async fn garbage_refreshes_nothing() {
    let stage = Stage::new().await;
    for token in [
        None,
        Some(""),
        Some("kbr_x"),
        Some(token::RefreshToken::random().expose()),
    ] {
        assert_eq!(
            code(stage.accounts.refresh(token, None, Origin::default()).await),
            Some(ErrorCode::SessionExpired)
        );
    }
}

#[tokio::test]
async fn idle_sessions_end() {
    let stage = Stage::new().await;
    let session = stage.login().await;
    stage.clock.advance(TimeDelta::days(14));
    assert_eq!(
        code(stage.refresh(&session.refresh_token).await),
        Some(ErrorCode::SessionExpired)
    );
}

#[tokio::test]
async fn a_logout_ends_one_session_or_all() {
    let stage = Stage::new().await;
    let [one, two, three] = [stage.login().await, stage.login().await, stage.login().await];
    let principal = stage
        .accounts
        .authenticator()
        .authenticate(one.access_token.expose(), &Origin::default())
        .await
        .expect("logged in");
    stage.accounts.logout(&principal, false).await.expect("it ends");
    assert!(!stage.is_in(&one).await && stage.is_in(&two).await);
    assert_eq!(
        code(stage.refresh(&one.refresh_token).await),
        Some(ErrorCode::SessionExpired)
    );
    stage
        .accounts
        .logout_by_token(two.refresh_token.expose(), true, Origin::default())
        .await
        .expect("they end");
    assert!(!stage.is_in(&two).await && !stage.is_in(&three).await);
}

#[tokio::test]
async fn only_ones_own_tenants_can_be_entered() {
    let stage = Stage::new().await;
    let session = stage.login().await;
    let foreign = stage.another_tenant(None).await;
    let own = stage.another_tenant(Some(session.identity.user.id)).await;
    let refused = stage
        .accounts
        .refresh(Some(session.refresh_token.expose()), Some(foreign), Origin::default())
        .await;
    assert_eq!(code(refused), Some(ErrorCode::NotFound));
    // The refused change used nothing up.
    let changed = stage
        .accounts
        .refresh(Some(session.refresh_token.expose()), Some(own), Origin::default())
        .await
        .expect("a member");
    assert_eq!(changed.identity.role, membership::Role::Agent);
    let principal = stage
        .accounts
        .authenticator()
        .authenticate(changed.access_token.expose(), &Origin::default())
        .await
        .expect("logged in");
    assert_eq!(principal.tenant_id(), own);
    assert!(principal.require(Permission::ManageDevices).is_err());
    let again = stage.refresh(&changed.refresh_token).await.expect("it is the newest");
    assert_eq!(again.identity.tenant.id, own, "the session stays where it was");
}

#[tokio::test]
async fn a_cookie_speaks_for_its_session_without_being_used_up() {
    let stage = Stage::new().await;
    let session = stage.login().await;
    let cookie = Secret::new(session.refresh_token.expose());
    let principal = stage
        .accounts
        .authenticator()
        .authenticate_cookie(&cookie, &Origin::default())
        .await
        .expect("logged in");
    assert!(
        stage
            .accounts
            .authenticator()
            .still_stands(&principal)
            .await
            .expect("the database answers")
    );
    assert!(stage.refresh(&session.refresh_token).await.is_ok());
    assert!(
        stage
            .accounts
            .authenticator()
            .authenticate_cookie(&cookie, &Origin::default())
            .await
            .is_err(),
        "it was replaced"
    );
    stage.accounts.logout(&principal, false).await.expect("it ends");
    assert!(
        !stage
            .accounts
            .authenticator()
            .still_stands(&principal)
            .await
            .expect("the database answers")
    );
}
