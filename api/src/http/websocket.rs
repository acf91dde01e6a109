//! Opening a websocket: which protocol, whose cookie.

use std::sync::Arc;

use axum::{
    extract::{Request, State, WebSocketUpgrade},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Shared,
    caller::{self, Place},
    cookies, graphql,
    socket::{self, Opening},
};

/// The one protocol: <https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md>.
const PROTOCOL: &str = "graphql-transport-ws";

/// Upgrades to a websocket; anything else is told to use POST.
pub async fn upgrade(
    State(services): State<Shared>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return graphql::only_post().await;
    };
    let headers = request.headers();
    if !speaks_protocol(headers) {
        let message = format!("Ask for the websocket protocol {PROTOCOL}.\n");
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    let place = Place::of(request.extensions(), headers, &services.config);
    // Whoever is no page has no cookie of ours either.
    let own_page =
        headers.contains_key(header::ORIGIN) && caller::is_no_foreign_page(headers, &services.config, place.https);
    let opening = Opening {
        transport: Arc::new(caller::transport(&place, headers, &services.config)),
        // A foreign page's websocket carries our cookie too, in browsers that don't know SameSite.
        cookie: if own_page {
            cookies::session(headers, place.https)
        } else {
            None
        },
    };
    let largest = services.config.graphql.max_socket_message_bytes;
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(largest)
        .max_frame_size(largest)
        .on_upgrade(move |socket| socket::serve(services, socket, opening))
}

fn speaks_protocol(headers: &HeaderMap) -> bool {
    let offered = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    offered
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim() == PROTOCOL)
}
