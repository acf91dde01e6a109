//! What protects a request, against the work itself.
//!
//! The `devices` query is asked for over HTTP in two ways, in turns. *Guarded* is the server as it is: the caller's API
//! token, the limits of queries, the charge and its refund, the permission, headers and logs. *Bare* is the same schema on
//! the same database behind a route of our own that does nothing but read the body, run it for a caller who was
//! authenticated once, and write the answer. Both run in this process with its load generator, so that only their
//! difference is left.
//!
//! The tenant's filter is in both: it stands in every statement, and cannot be left out. What row-level security adds to
//! the statements is measured by tests/bench/row-security.sh.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::graphql::context::Origin;
use api::http::Services;
use api::tenants::Principal;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use tests::{TestApp, TestDatabase};

use crate::{report::median, rounds::Size};

/// Requests that are on their way at the same time.
const CALLERS: usize = 16;
const DEVICES: usize = 50;
const QUERY: &str =
    "{ devices(first: 50) { nodes { id name status phoneNumber tags createdAt } pageInfo { hasNextPage } } }";

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    pub rounds: usize,
    pub each: Duration,
}

impl Extent {
    /// As much as fits the other measurements.
    pub fn of(size: Size) -> Self {
        let (rounds, each) = if size.many < Size::FULL.many { (3, 1) } else { (15, 2) };
        Self {
            rounds,
            each: Duration::from_secs(each),
        }
    }
}

/// Requests per second, and the part of them that protecting takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Protection {
    pub guarded: f64,
    pub bare: f64,
    /// The median of the rounds: what was measured within seconds is compared, not what a slow minute fell upon.
    pub share: f64,
}

pub async fn measure(database: TestDatabase, extent: Extent) -> Result<Protection> {
    let app = TestApp::new(database).await?;
    let create = "mutation { createDevice(input: { name: \"Device\" }) { userErrors { code } } }";
    for _ in 0..DEVICES {
        app.client.mutate(create, json!({}), "createDevice").await?;
    }
    let token =
        "mutation { createApiToken(input: { name: \"Bench\", scopes: [READ] }) { secret userErrors { code } } }";
    let made = app.client.mutate(token, json!({}), "createApiToken").await?;
    let token = made["secret"].as_str().context("no secret")?.to_owned();
    let origin = Origin {
        address: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        user_agent: None,
    };
    let caller = app
        .services
        .accounts
        .authenticator()
        .authenticate(&token, &origin)
        .await;
    let caller = caller.context("the token is refused")?;
    let bare = serve_bare(Arc::clone(&app.services), caller).await?;
    let http = reqwest::Client::new();
    let ways = [format!("{}/graphql", app.client.base()), bare];
    for way in &ways {
        let answer: Value = ask(&http, way, &token).send().await?.json().await?;
        let nodes = answer["data"]["devices"]["nodes"].as_array().map(Vec::len);
        ensure!(nodes == Some(DEVICES), "{way}: {answer}");
    }
    let mut rates: Vec<[f64; 2]> = Vec::new();
    // The first round warms up and does not count.
    for round in 0..=extent.rounds {
        let mut both = [0.0; 2];
        for place in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            both[place] = throughput(&http, &ways[place], &token, extent.each).await?;
        }
        if round > 0 {
            rates.push(both);
        }
    }
    let middle = |of: fn(&[f64; 2]) -> f64| median(rates.iter().map(of).collect()).unwrap_or_default();
    Ok(Protection {
        guarded: middle(|[guarded, _]| *guarded),
        bare: middle(|[_, bare]| *bare),
        share: middle(|[guarded, bare]| 1.0 - guarded / bare),
    })
}

fn ask(http: &reqwest::Client, url: &str, token: &str) -> reqwest::RequestBuilder {
    let body = json!({ "query": QUERY });
    http.post(url).bearer_auth(token).json(&body)
}

async fn throughput(http: &reqwest::Client, url: &str, token: &str, time: Duration) -> Result<f64> {
    let began = Instant::now();
    let callers = (0..CALLERS).map(|_| async {
        let mut answered = 0_u32;
        while began.elapsed() < time {
            let answer = ask(http, url, token).send().await?;
            ensure!(answer.status().is_success(), "{url}: {}", answer.status());
            answer.bytes().await?;
            answered += 1;
        }
        Ok(answered)
    });
    let answered: u32 = futures::future::try_join_all(callers).await?.iter().sum();
    Ok(f64::from(answered) / began.elapsed().as_secs_f64())
}

/// The schema without what stands before it; its URL.
async fn serve_bare(services: Arc<Services>, caller: Principal) -> Result<String> {
    let routes = axum::Router::new()
        .route("/", post(run_bare))
        .with_state((services, caller));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(url)
}

async fn run_bare(State((services, caller)): State<(Arc<Services>, Principal)>, body: Bytes) -> Vec<u8> {
    let request: async_graphql::Request =
        serde_json::from_slice(&body).unwrap_or_else(|_| async_graphql::Request::new(""));
    let response = services.executor.execute(request.data(caller)).await;
    serde_json::to_vec(&response).unwrap_or_default()
}
