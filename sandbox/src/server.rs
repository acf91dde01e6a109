//! The one port: websockets of clients, the media host, the control API.

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::core::Core;
use crate::{connection, media};

/// The largest file the media host takes.
const MEDIA_LIMIT: usize = 256 * 1024 * 1024;
/// Serves until the network stops.
pub fn spawn(core: &Arc<Core>, listener: TcpListener, control: Router) {
    let router = Router::new()
        .route("/ws/chat", any(websocket))
        .route("/ws/chat/{*rest}", any(websocket))
        .route("/mms/{*path}", post(media::upload))
        .route("/v/sandbox/{name}", get(media::download))
        .layer(DefaultBodyLimit::max(MEDIA_LIMIT))
        .with_state(Arc::clone(core))
        .merge(control);
    // Frames are small and answered at once: waiting to fill a packet costs 40 ms each.
    let listener = listener.tap_io(|stream| {
        if let Err(failure) = stream.set_nodelay(true) {
            tracing::debug!(%failure, "TCP_NODELAY cannot be set");
        }
    });
    let stop = core.stop.clone();
    core.tasks.spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await });
        if let Err(failure) = served.await {
            tracing::error!(%failure, "the network stopped serving");
        }
    });
}

async fn websocket(State(core): State<Arc<Core>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(64 * 1024 * 1024)
        .max_frame_size(64 * 1024 * 1024)
        .on_upgrade(move |socket| {
            let tasks = core.tasks.clone();
            async move {
                // Tracked, so that a shutdown waits for it.
                let ended = tasks.spawn(connection::serve(core, socket)).await;
                if let Err(failure) = ended {
                    tracing::error!(%failure, "a connection's task failed");
                }
            }
        })
}
