//! Rate limits: what a query costs, who has to wait, and that operators change it while the server runs.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Client, TestApp, TestDatabase};

tests::on_both_databases!(
    strangers_wait_and_those_who_log_in_do_not,
    a_query_is_charged_what_it_costs,
    settings_are_checked_and_kept,
);

const UPDATE: &str = "mutation($input: UpdatePlatformSettingsInput!) { updatePlatformSettings(input: $input) {
    settings { rateLimits { rule limit windowSeconds } webhookDefaultUrl } userErrors { code field } } }";

async fn limit(client: &Client, rule: &str, most: Value) -> Result<Value> {
    let limits = json!([{ "rule": rule, "limit": most }]);
    let input = json!({ "input": { "rateLimits": limits } });
    client.mutate(UPDATE, input, "updatePlatformSettings").await
}

/// The answer as it is on the wire, with its headers.
async fn raw(client: &Client, document: &str) -> Result<(reqwest::StatusCode, reqwest::header::HeaderMap, Value)> {
    let mut request = reqwest::Client::new()
        .post(format!("{}/graphql", client.base()))
        .header("accept", "application/graphql-response+json")
        .json(&json!({ "query": document }));
    if let Some(token) = client.token() {
        request = request.bearer_auth(token);
    }
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok((status, headers, response.json().await?))
}

fn header<'a>(headers: &'a reqwest::header::HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

async fn strangers_wait_and_those_who_log_in_do_not(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    limit(&app.client, "ANONYMOUS_REQUESTS", json!(3)).await?;
    let stranger = app.client.anonymous();
    for left in [2, 1, 0] {
        let (_, headers, body) = raw(&stranger, "{ viewer { role } }").await?;
        ensure!(body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED", "{body}");
        let told = header(&headers, "ratelimit");
        ensure!(told.contains(&format!(";r={left};")), "{told} instead of {left} left");
        let policy = header(&headers, "ratelimit-policy");
        ensure!(policy == "\"anonymous-requests\";q=3;w=900", "{policy}");
    }
    let (status, headers, body) = raw(&stranger, "{ __typename }").await?;
    let error = &body["errors"][0]["extensions"];
    ensure!(
        status == 429 && error["code"] == "RATE_LIMITED" && error["limit"] == 3 && error["used"] == 3,
        "{status}: {body}"
    );
    let wait: i64 = header(&headers, "retry-after").parse()?;
    ensure!((1..=901).contains(&wait), "{wait}");
    ensure!(app.client.get("/health/live").await?.0 == 200 && app.client.get("/").await?.0 == 200);
    app.client.query("{ viewer { role } }", json!({})).await?;

    // The next window; logging in well is given back.
    app.clock.advance(chrono::TimeDelta::minutes(15));
    for _ in 0..5 {
        stranger.login(tests::EMAIL, tests::PASSWORD).await?;
    }
    Ok(())
}

async fn a_query_is_charged_what_it_costs(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (_, headers, body) = raw(&app.client, "{ devices(first: 10) { nodes { id } } }").await?;
    let cost = &body["extensions"]["cost"];
    ensure!(
        cost["requested"] == 21 && cost["actual"] == 2 && cost["limit"].is_null(),
        "an empty page costs its two fields: {body}"
    );
    ensure!(header(&headers, "ratelimit").is_empty(), "there is no limit");

    limit(&app.client, "API_COST", json!(100)).await?;
    // A fresh window, which no earlier query has used.
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let (_, headers, body) = raw(&app.client, "{ devices(first: 40) { nodes { id } } }").await?;
    let cost = &body["extensions"]["cost"];
    ensure!(
        cost["requested"] == 81 && cost["limit"] == 100 && cost["remaining"] == 98,
        "what it did not cost is given back: {body}"
    );
    ensure!(
        header(&headers, "ratelimit").starts_with("\"api-cost\";r=98;t="),
        "{headers:?}"
    );
    let (status, _, body) = raw(&app.client, "{ devices(first: 60) { nodes { id } } }").await?;
    let error = &body["errors"][0]["extensions"];
    ensure!(
        status == 429 && error["requested"] == 121 && error["used"] == 2,
        "{body}"
    );
    let retry_at: chrono::DateTime<chrono::Utc> = error["retryAt"].as_str().context("no retryAt")?.parse()?;
    ensure!(retry_at > app.clock.now(), "{retry_at}");
    let data = app
        .client
        .query("{ viewer { limits { meter limit used } } }", json!({}))
        .await?;
    let limits = data["viewer"]["limits"].as_array().context("no limits")?.clone();
    let cost = limits
        .iter()
        .find(|limit| limit["meter"] == "API_COST")
        .context("no cost")?;
    ensure!(
        cost["limit"] == 100 && cost["used"].as_i64().unwrap_or(0) >= 2,
        "{cost}"
    );
    Ok(())
}

async fn settings_are_checked_and_kept(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    for input in [
        json!({ "rateLimits": [{ "rule": "UPLOADS", "limit": 0 }] }),
        json!({ "rateLimits": [{ "rule": "UPLOADS", "limit": 1, "windowSeconds": 0 }] }),
        json!({ "rateLimits": [{ "rule": "LOGIN_FAILURES_PER_ACCOUNT" }] }),
        json!({ "webhookDefaultUrl": "ftp://x" }),
    ] {
        let code = app
            .client
            .refused(UPDATE, json!({ "input": input.clone() }), "updatePlatformSettings")
            .await?;
        ensure!(code == "INVALID_INPUT", "{input}: {code}");
    }
    let input = json!({ "input": { "webhookDefaultUrl": "https://hooks.example.com/kabar" } });
    app.client.mutate(UPDATE, input, "updatePlatformSettings").await?;
    let payload = limit(&app.client, "UPLOADS", json!(null)).await?;
    let uploads = json!({ "rule": "UPLOADS", "limit": null, "windowSeconds": 60 });
    ensure!(
        payload["settings"]["rateLimits"]
            .as_array()
            .is_some_and(|limits| limits.contains(&uploads)),
        "{payload}"
    );
    ensure!(
        payload["settings"]["webhookDefaultUrl"] == "https://hooks.example.com/kabar",
        "what was not named stays: {payload}"
    );

    // Logins are limited by what holds now.
    limit(&app.client, "LOGIN_FAILURES_PER_ACCOUNT", json!(1)).await?;
    let login = "mutation($input: LoginInput!) { login(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "email": "somebody@kabar.test", "password": "wrong" } });
    let first = app.client.anonymous().send(login, input.clone()).await?;
    ensure!(first.code().is_none(), "{first:?}");
    let second = app.client.anonymous().send(login, input).await?;
    ensure!(second.code() == Some("RATE_LIMITED"), "{second:?}");
    Ok(())
}
