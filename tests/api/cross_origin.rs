//! Pages of other sites: those on the list may call the API with a token, nobody may with the console's cookie.

use anyhow::{Result, ensure};
use reqwest::{Method, Response, header};
use tests::{TestApp, TestDatabase};

tests::on_both_databases!(only_listed_pages_may_call, nobody_may_call_unless_listed);

const LISTED: &str = "https://app.example.com";

async fn only_listed_pages_may_call(database: TestDatabase) -> Result<()> {
    let app = TestApp::with(database, &[("server.cors_origins", LISTED)]).await?;

    let preflight = ask(&app, Method::OPTIONS, LISTED).await?;
    ensure!(preflight.status().is_success(), "{preflight:?}");
    ensure!(
        said(&preflight, "access-control-allow-origin") == LISTED,
        "{preflight:?}"
    );
    let headers = said(&preflight, "access-control-allow-headers");
    ensure!(
        headers.contains("authorization") && headers.contains("content-type"),
        "{headers}"
    );

    let answer = ask(&app, Method::POST, LISTED).await?;
    ensure!(said(&answer, "access-control-allow-origin") == LISTED, "{answer:?}");
    ensure!(
        said(&answer, "access-control-allow-credentials").is_empty(),
        "{answer:?}"
    );

    for stranger in ["https://evil.example.com", "http://app.example.com", "null"] {
        for method in [Method::OPTIONS, Method::POST] {
            let answer = ask(&app, method, stranger).await?;
            ensure!(
                said(&answer, "access-control-allow-origin").is_empty(),
                "{stranger}: {answer:?}"
            );
        }
    }
    Ok(())
}

async fn nobody_may_call_unless_listed(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let answer = ask(&app, Method::OPTIONS, LISTED).await?;
    ensure!(said(&answer, "access-control-allow-origin").is_empty(), "{answer:?}");
    Ok(())
}

async fn ask(app: &TestApp, method: Method, origin: &str) -> Result<Response> {
    let request = reqwest::Client::new()
        .request(method, format!("{}/graphql", app.client.base()))
        .header(header::ORIGIN, origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type")
        .header(header::CONTENT_TYPE, "application/json")
        .body(r#"{"query":"{ __typename }"}"#);
    Ok(request.send().await?)
}

/// A header of an answer; empty when it is not there.
fn said(answer: &Response, name: &str) -> String {
    let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}
