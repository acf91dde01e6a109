//! Which path goes where.

use std::sync::Arc;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};

use super::{Services, access, console, cors, exports, graphiql, graphql, health, metrics, qr, security, websocket};

/// Every route of the server.
pub fn router(services: Arc<Services>) -> Router {
    metrics::install();
    let mut router = Router::new()
        .route(
            "/graphql",
            get(websocket::upgrade).post(graphql::post).fallback(graphql::only_post),
        )
        .route("/graphql/ws", get(websocket::upgrade).fallback(graphql::only_post))
        .route("/devices/{id}/qr", get(qr::page))
        .route("/devices/{id}/qr.png", get(qr::png))
        .route("/devices/{id}/qr.svg", get(qr::svg))
        .route("/exports/audit-log.csv", get(exports::audit_log))
        .route("/exports/platform/audit-log.csv", get(exports::platform_audit_log))
        .route("/exports/tenant.zip", get(exports::tenant_archive))
        .route("/health", get(health::ready))
        .route("/health/ready", get(health::ready))
        .route("/health/live", get(health::live))
        .route("/ping", get(health::ping))
        .route("/metrics", get(metrics::show));
    if services.config.server.graphiql {
        router = router
            .route("/graphiql", get(graphiql::page))
            .route("/graphiql/{name}", get(graphiql::asset));
    }
    let cors = cors::layer(&services.config.server.cors_origins);
    router
        .fallback(console::serve)
        .layer(cors)
        .layer(from_fn_with_state(Arc::clone(&services), security::headers))
        .layer(from_fn(access::watch))
        .with_state(services)
}
