//! What sessions promise, on a fresh database with a clock that is held.

mod logins;
mod sessions;

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
