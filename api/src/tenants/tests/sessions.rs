//! How long somebody stays in, and what ends it.

use super::*;

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
