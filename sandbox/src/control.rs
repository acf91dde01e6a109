//! The network over HTTP, for tests and clients written in other languages.
//!
//! Bodies and answers are JSON with the field names of this crate's types in camelCase. Errors are
//! `{"code": "NO_SUCH_PHONE", "message": "…"}` with status 400, 404 or 409.
//!
//! | | body or query | answer |
//! |---|---|---|
//! | `POST /control/phones` | `{number, name?, behavior?}` | phone |
//! | `GET /control/phones` | `?number=` for one | phones, or the phone |
//! | `POST /control/scan-qr` | `{number, qr}` | linked device, once it logged in |
//! | `POST /control/pairing-code` | `{number, code}` | linked device, once it logged in |
//! | `POST /control/send` | `{from, to: {"phone": …} or {"group": …}, text, mentions?, mentionsEveryone?, times?}` | `{whatsappId}`, of the last |
//! | `POST /control/behavior` | `{number, behavior: {…changes}}` | phone |
//! | `POST /control/disrupt` | `{number, disruption: "dropSocket" or {"logOut": {…}} …}` | phone |
//! | `GET /control/received` | `?number=&after=&limit=` | rows of the ledger |
//! | `POST /control/read` | `{number, whatsappIds}` | `{}` |
//! | `POST /control/groups` | `{owner, subject, participants}` | group |
//! | `GET /control/groups` | `?number=` | groups |
//! | `POST /control/groups/members` | `{group, number, member: true or false}` | group |
//! | `GET /control/stats` | `?messages=`: once so many were taken, or after a minute | counters |

use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::SandboxError;
use crate::network::Network;
use crate::text::Text;
use crate::views::{Behavior, BehaviorPatch, Disruption, Target};

impl IntoResponse for SandboxError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoSuchPhone(_) | Self::NoSuchGroup(_) | Self::NoSuchMessage(_) | Self::NotLinked(_) => {
                StatusCode::NOT_FOUND
            }
            Self::AlreadyExists(_) => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        (status, Json(json!({"code": self.code(), "message": self.to_string()}))).into_response()
    }
}

/// How often the counters are looked at for somebody who waits.
const GLANCE: Duration = Duration::from_millis(2);
const LONGEST_WAIT: Duration = Duration::from_mins(1);

type Answer = Result<Json<Value>, SandboxError>;

fn answer(value: impl serde::Serialize) -> Answer {
    serde_json::to_value(value)
        .map(Json)
        .map_err(|failure| SandboxError::Storage(failure.to_string()))
}

/// The routes below `/control`.
pub fn routes(network: Network) -> Router {
    Router::new()
        .route("/control/phones", get(phones).post(create_phone))
        .route("/control/scan-qr", post(scan_qr))
        .route("/control/pairing-code", post(enter_pairing_code))
        .route("/control/send", post(send))
        .route("/control/behavior", post(set_behavior))
        .route("/control/disrupt", post(disrupt))
        .route("/control/received", get(received))
        .route("/control/read", post(mark_read))
        .route("/control/groups", get(groups).post(create_group))
        .route("/control/groups/members", post(change_member))
        .route("/control/stats", get(stats))
        .with_state(network)
}

#[derive(Deserialize)]
struct NewPhone {
    number: String,
    name: Option<String>,
    #[serde(default)]
    behavior: Behavior,
}

async fn create_phone(State(network): State<Network>, Json(body): Json<NewPhone>) -> Answer {
    answer(network.create_phone(&body.number, body.name.as_deref(), body.behavior)?)
}

#[derive(Deserialize)]
struct ByNumber {
    number: Option<String>,
    after: Option<u64>,
    limit: Option<usize>,
}

impl ByNumber {
    fn required(&self) -> Result<&str, SandboxError> {
        self.number
            .as_deref()
            .ok_or_else(|| SandboxError::InvalidNumber(String::new()))
    }
}

async fn phones(State(network): State<Network>, Query(query): Query<ByNumber>) -> Answer {
    match query.number {
        Some(number) => answer(network.phone(&number).ok_or(SandboxError::NoSuchPhone(number))?),
        None => answer(network.phones()),
    }
}

#[derive(Deserialize)]
struct Scan {
    number: String,
    qr: String,
}

async fn scan_qr(State(network): State<Network>, Json(body): Json<Scan>) -> Answer {
    answer(network.scan_qr(&body.number, &body.qr).await?)
}

#[derive(Deserialize)]
struct Code {
    number: String,
    code: String,
}

async fn enter_pairing_code(State(network): State<Network>, Json(body): Json<Code>) -> Answer {
    answer(network.enter_pairing_code(&body.number, &body.code).await?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Writing {
    from: String,
    to: Target,
    text: String,
    /// Numbers that the text mentions.
    #[serde(default)]
    mentions: Vec<String>,
    #[serde(default)]
    mentions_everyone: bool,
    /// How often, one after the other; once unless told.
    #[serde(default = "once")]
    times: NonZeroU32,
}

const fn once() -> NonZeroU32 {
    NonZeroU32::MIN
}

async fn send(State(network): State<Network>, Json(body): Json<Writing>) -> Answer {
    let text = Text {
        body: body.text,
        mentions: body.mentions,
        mentions_everyone: body.mentions_everyone,
    };
    for _ in 1..body.times.get() {
        network.send_text(&body.from, body.to.clone(), text.clone()).await?;
    }
    let id = network.send_text(&body.from, body.to, text).await?;
    answer(json!({"whatsappId": id}))
}

#[derive(Deserialize)]
struct Change {
    number: String,
    behavior: BehaviorPatch,
}

async fn set_behavior(State(network): State<Network>, Json(body): Json<Change>) -> Answer {
    answer(network.set_behavior(&body.number, body.behavior)?)
}

#[derive(Deserialize)]
struct Accident {
    number: String,
    disruption: Disruption,
}

async fn disrupt(State(network): State<Network>, Json(body): Json<Accident>) -> Answer {
    answer(network.disrupt(&body.number, body.disruption).await?)
}

async fn received(State(network): State<Network>, Query(query): Query<ByNumber>) -> Answer {
    answer(network.received(query.required()?, query.after, query.limit.unwrap_or(1_000))?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    number: String,
    whatsapp_ids: Vec<String>,
}

async fn mark_read(State(network): State<Network>, Json(body): Json<Read>) -> Answer {
    network.mark_read(&body.number, &body.whatsapp_ids).await?;
    answer(json!({}))
}

#[derive(Deserialize)]
struct NewGroup {
    owner: String,
    subject: String,
    participants: Vec<String>,
}

async fn create_group(State(network): State<Network>, Json(body): Json<NewGroup>) -> Answer {
    answer(
        network
            .create_group(&body.owner, &body.subject, &body.participants)
            .await?,
    )
}

async fn groups(State(network): State<Network>, Query(query): Query<ByNumber>) -> Answer {
    answer(network.groups(query.required()?))
}

#[derive(Deserialize)]
struct Membership {
    group: String,
    number: String,
    member: bool,
}

async fn change_member(State(network): State<Network>, Json(body): Json<Membership>) -> Answer {
    if body.member {
        answer(network.add_to_group(&body.group, &body.number).await?)
    } else {
        answer(network.remove_from_group(&body.group, &body.number).await?)
    }
}

#[derive(Deserialize)]
struct Patience {
    messages: Option<u64>,
}

async fn stats(State(network): State<Network>, Query(query): Query<Patience>) -> Answer {
    let taken = async {
        while query.messages.is_some_and(|wanted| network.stats().messages < wanted) {
            tokio::time::sleep(GLANCE).await;
        }
    };
    // Whoever asked sees from the counters whether it came to that.
    let _ = tokio::time::timeout(LONGEST_WAIT, taken).await;
    answer(network.stats())
}
