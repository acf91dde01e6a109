//! What the outside of the server promises to browsers: headers, cookies, sizes, and what can be turned off.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::{SinkExt, StreamExt};
use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::{Value, json};
use tests::{Client, EMAIL, PASSWORD, TestApp, TestDatabase};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

tests::on_both_databases!(
    every_answer_tells_browsers_to_be_careful,
    over_https_browsers_are_bound_to_it,
    a_cookie_is_believed_from_our_own_pages_only,
    what_is_too_large_is_refused,
    introspection_and_graphiql_can_be_turned_off,
    a_document_is_sent_once_and_named_by_its_hash_afterwards,
);

const HTTPS: (&str, &str) = ("server.public_url", "https://kabar.example");
const LOGIN: &str =
    "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken userErrors { code } } }";
const REFRESH: &str = "mutation { refreshSession { accessToken userErrors { code } } }";

async fn headers_of(client: &Client, path: &str) -> Result<HeaderMap> {
    let answer = reqwest::get(format!("{}{path}", client.base())).await?;
    Ok(answer.headers().clone())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// A GraphQL request as a page sends it; with `page` as its origin.
async fn post(
    client: &Client,
    document: &str,
    variables: Value,
    further: &[(&str, &str)],
) -> Result<(HeaderMap, Value)> {
    let mut request = reqwest::Client::new().post(format!("{}/graphql", client.base()));
    for (name, value) in further {
        request = request.header(*name, *value);
    }
    let body = json!({ "query": document, "variables": variables });
    let answer = request.json(&body).send().await?;
    Ok((answer.headers().clone(), answer.json().await?))
}

async fn every_answer_tells_browsers_to_be_careful(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    for path in [
        "/",
        "/devices",
        "/graphiql",
        "/graphql",
        "/health/live",
        "/no-such-file.js",
    ] {
        let headers = headers_of(&app.client, path).await?;
        let always = [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ];
        for (name, wanted) in always {
            ensure!(
                text(&headers, name) == wanted,
                "{path}: {name} is {:?}",
                headers.get(name)
            );
        }
        ensure!(
            !headers.contains_key("strict-transport-security"),
            "{path} came over http"
        );
        let policy = text(&headers, "content-security-policy");
        let directive = |name: &str| {
            let found = policy
                .split(';')
                .map(str::trim)
                .find(|part| part.split(' ').next() == Some(name));
            found.map(|part| part[name.len()..].trim().to_owned())
        };
        ensure!(
            directive("frame-ancestors").as_deref() == Some("'none'"),
            "{path}: {policy}"
        );
        ensure!(
            directive("default-src").as_deref() == Some("'none'"),
            "{path}: {policy}"
        );
        let scripts = directive("script-src").unwrap_or_default();
        for loose in ["'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "data:", "*"] {
            ensure!(!scripts.split(' ').any(|source| source == loose), "{path}: {scripts}");
        }
    }
    let console = headers_of(&app.client, "/").await?;
    ensure!(text(&console, "content-security-policy").contains("'wasm-unsafe-eval'"));
    Ok(())
}

async fn over_https_browsers_are_bound_to_it(database: TestDatabase) -> Result<()> {
    // An https address is production, which makes up no secret.
    let secret = ("secret_key", "bm90IGEgc2VjcmV0IGJ1dCBsb25nIGVub3VnaCBmb3IgYSB0ZXN0");
    let app = TestApp::with(database, &[HTTPS, secret]).await?;
    let headers = headers_of(&app.client, "/health/live").await?;
    ensure!(
        text(&headers, "strict-transport-security").starts_with("max-age=31536000"),
        "{headers:?}"
    );
    let input = json!({ "input": { "email": EMAIL, "password": PASSWORD } });
    let (headers, _) = post(&app.client, LOGIN, input, &[("x-kabar-session", "cookie")]).await?;
    let cookie = text(&headers, SET_COOKIE.as_str());
    ensure!(cookie.starts_with("__Host-kabar="), "{cookie}");
    for word in ["Path=/", "HttpOnly", "Secure", "SameSite=Strict"] {
        ensure!(
            cookie.split("; ").any(|part| part == word),
            "{word} is missing: {cookie}"
        );
    }
    ensure!(!cookie.contains("Domain="), "{cookie}");
    Ok(())
}

async fn a_cookie_is_believed_from_our_own_pages_only(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let (client, own) = (&app.client, app.client.base().to_owned());
    let input = json!({ "input": { "email": EMAIL, "password": PASSWORD } });
    let mode = ("x-kabar-session", "cookie");

    // A foreign page cannot put a session into somebody's browser.
    let (headers, body) = post(
        client,
        LOGIN,
        input.clone(),
        &[mode, ("origin", "https://evil.example")],
    )
    .await?;
    ensure!(headers.get(SET_COOKIE).is_none(), "{headers:?}");
    ensure!(body["data"]["login"]["refreshToken"].is_string(), "{body}");

    let (headers, body) = post(client, LOGIN, input, &[mode, ("origin", &own)]).await?;
    ensure!(
        body["data"]["login"]["refreshToken"].is_null(),
        "a script could read it: {body}"
    );
    let cookie = text(&headers, SET_COOKIE.as_str())
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned();
    ensure!(cookie.starts_with("kabar_session=kbr_"), "{cookie}");

    // Nor use the one that is there: by its origin, or without the header that only our pages can send.
    let code = "/data/refreshSession/userErrors/0/code";
    for further in [
        vec![mode, ("cookie", &cookie), ("origin", "https://evil.example")],
        vec![mode, ("cookie", &cookie), ("origin", "null")],
        vec![("cookie", &cookie), ("origin", &own)],
    ] {
        let (headers, body) = post(client, REFRESH, json!({}), &further).await?;
        ensure!(
            body.pointer(code) == Some(&json!("SESSION_EXPIRED")),
            "{further:?}: {body}"
        );
        ensure!(headers.get(SET_COOKIE).is_none(), "{further:?}: {headers:?}");
    }
    for (origin, is_let_in) in [
        (Some("https://evil.example"), false),
        (None, false),
        (Some(own.as_str()), true),
    ] {
        let opened = opens(client, &cookie, origin).await?;
        ensure!(opened == is_let_in, "a websocket of {origin:?}: {opened}");
    }
    // It was not used up by any of them.
    let (_, body) = post(
        client,
        REFRESH,
        json!({}),
        &[mode, ("cookie", &cookie), ("origin", &own)],
    )
    .await?;
    ensure!(body["data"]["refreshSession"]["accessToken"].is_string(), "{body}");
    Ok(())
}

/// Whether a websocket with this cookie is accepted without a token.
async fn opens(client: &Client, cookie: &str, origin: Option<&str>) -> Result<bool> {
    let url = format!("{}/graphql", client.base().replacen("http", "ws", 1));
    let mut request = url.into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
    headers.insert("cookie", cookie.parse()?);
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse()?);
    }
    let (mut socket, _) = connect_async(request).await?;
    socket.send(Message::text(r#"{"type":"connection_init"}"#)).await?;
    match tokio::time::timeout(Duration::from_secs(20), socket.next()).await? {
        Some(Ok(Message::Text(text))) => Ok(text.contains("connection_ack")),
        Some(Ok(Message::Close(_))) | None => Ok(false),
        other => bail!("{other:?}"),
    }
}

async fn what_is_too_large_is_refused(database: TestDatabase) -> Result<()> {
    let app = TestApp::with(
        database,
        &[
            ("server.max_body_bytes", "20000"),
            ("graphql.max_socket_message_bytes", "20000"),
        ],
    )
    .await?;
    let small = json!({ "query": "{ __typename }", "variables": { "x": "y".repeat(100) } });
    let large = json!({ "query": "{ __typename }", "variables": { "x": "y".repeat(40_000) } });
    for (body, wanted) in [(small, 200), (large.clone(), 413)] {
        let request = reqwest::Client::new().post(format!("{}/graphql", app.client.base()));
        let status = request.json(&body).send().await?.status();
        ensure!(status == wanted, "{status} instead of {wanted}");
    }
    let url = format!("{}/graphql", app.client.base().replacen("http", "ws", 1));
    let mut request = url.into_client_request()?;
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
    let (mut socket, _) = connect_async(request).await?;
    socket.send(Message::text(large.to_string())).await?;
    let ended = tokio::time::timeout(Duration::from_secs(20), async {
        while let Some(Ok(message)) = socket.next().await {
            ensure!(!matches!(message, Message::Text(_)), "{message:?}");
        }
        Ok(())
    });
    ended.await.context("the websocket goes on")?
}

async fn introspection_and_graphiql_can_be_turned_off(database: TestDatabase) -> Result<()> {
    let app = TestApp::with(
        database,
        &[("graphql.introspection", "false"), ("server.graphiql", "false")],
    )
    .await?;
    for document in [
        "{ __schema { types { name } } }",
        "{ __type(name: \"Device\") { name } }",
    ] {
        let response = app.client.send(document, json!({})).await?;
        let shown = response.data.to_string();
        ensure!(!shown.contains("Device"), "{document}: {shown}");
    }
    app.client.query("{ viewer { role __typename } }", json!({})).await?;
    ensure!(app.client.get("/graphiql/page.js").await?.0 == 404);
    let (_, page) = app.client.get("/graphiql").await?;
    ensure!(
        !String::from_utf8_lossy(&page)
            .to_lowercase()
            .contains("graphiql.min.js")
    );
    Ok(())
}

async fn a_document_is_sent_once_and_named_by_its_hash_afterwards(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let document = "query($n: Int) { devices(first: $n) { totalCount } }";
    let hash = "6a492a95f23f2bfd4c69f73dc8151b6d9da238d680bb59200c68e4fe3b147b6d";
    let ask = async |token: Option<&str>, body: Value| -> Result<Value> {
        let mut request = reqwest::Client::new().post(format!("{}/graphql", app.client.base()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Ok(request.json(&body).send().await?.json().await?)
    };
    let by_hash = json!({
        "variables": { "n": 1 },
        "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } },
    });
    let mut both = by_hash.clone();
    both["query"] = json!(document);
    let token = app.client.token();

    let unknown = ask(token, by_hash.clone()).await?;
    ensure!(unknown["errors"][0]["message"] == "PersistedQueryNotFound", "{unknown}");
    ensure!(unknown["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND");
    // What a stranger sends is not remembered, and not answered.
    ensure!(ask(None, both.clone()).await?["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED");
    ensure!(ask(token, by_hash.clone()).await?["data"].is_null());

    for body in [both, by_hash.clone(), by_hash.clone()] {
        let answer = ask(token, body).await?;
        ensure!(answer["data"]["devices"]["totalCount"] == 0, "{answer}");
    }
    // It is checked as if it had been sent.
    ensure!(ask(None, by_hash.clone()).await?["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED");
    let mut too_many = by_hash.clone();
    too_many["variables"]["n"] = json!(100_000);
    ensure!(ask(token, too_many).await?["errors"].is_array());
    let mut wrong = by_hash;
    wrong["query"] = json!("{ viewer { role } }");
    ensure!(ask(token, wrong).await?["errors"][0]["extensions"]["code"] == "BAD_REQUEST");
    Ok(())
}
