//! Who gets in with a password, and what trying costs.

use super::*;

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
