//! Whether the server lives and works: for people, load balancers and supervisors.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
};
use futures::future::{BoxFuture, join_all};
use serde_json::{Value, json};

use super::Shared;

/// A part that takes longer to answer counts as broken.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks one part of the server whether it works; the error is for operators.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The parts that must work, by name.
pub type Probes = Vec<(&'static str, Probe)>;

type Answer = (StatusCode, [(HeaderName, &'static str); 1], Json<Value>);

/// `/health` and `/health/ready`: 200 when every part works, else 503; which one does not is in the body.
pub async fn ready(State(services): State<Shared>) -> Answer {
    if services.stopping.is_cancelled() {
        return answer(false, json!({"status": "stopping"}));
    }
    let parts = join_all(services.probes.iter().map(|(name, probe)| async move {
        let result = tokio::time::timeout(PATIENCE, probe()).await;
        let works = matches!(result, Ok(Ok(())));
        match result {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => tracing::warn!(part = name, reason, "a health check failed"),
            Err(_) => tracing::warn!(part = name, "a health check took too long"),
        }
        (*name, works)
    }))
    .await;
    let works = parts.iter().all(|(_, works)| *works);
    let parts: serde_json::Map<String, Value> = parts
        .into_iter()
        .map(|(name, works)| (name.to_owned(), word(works).into()))
        .collect();
    answer(
        works,
        json!({"status": word(works), "version": env!("CARGO_PKG_VERSION"), "parts": parts}),
    )
}

/// `/health/live`: the process answers at all.
pub async fn live() -> Answer {
    answer(true, json!({"status": "ok"}))
}

/// `/ping`.
pub async fn ping() -> &'static str {
    "pong"
}

fn word(works: bool) -> &'static str {
    if works { "ok" } else { "failing" }
}

fn answer(works: bool, body: Value) -> Answer {
    let status = if works {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body))
}
