//! Sends one operation over HTTP and reads its answer.
//!
//! An expired access token is renewed once and the operation repeated; who calls never notices.

use cynic::Operation;
use futures::future::LocalBoxFuture;
use gloo_net::http::Request;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{error::ApiError, token};

/// An answer before its data is read: with errors, the data may have holes.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    message: String,
    extensions: Option<Extensions>,
}

#[derive(Deserialize)]
struct Extensions {
    code: Option<String>,
}

/// Runs an operation as the signed-in user.
pub async fn run<Data, Variables>(operation: Operation<Data, Variables>) -> Result<Data, ApiError>
where
    Data: DeserializeOwned,
    Variables: Serialize,
{
    read(&renewing(encode(&operation)?).await?)
}

/// Runs an operation that needs no session: signing in, renewing.
pub async fn run_once<Data, Variables>(operation: Operation<Data, Variables>) -> Result<Data, ApiError>
where
    Data: DeserializeOwned,
    Variables: Serialize,
{
    read(&once(encode(&operation)?).await?)
}

/// An answer's data. Boxed and free of types, so that this is compiled once and not for every operation.
type Exchange = LocalBoxFuture<'static, Result<String, ApiError>>;

fn renewing(body: String) -> Exchange {
    Box::pin(async move {
        match post(&body).await.and_then(|text| data(&text)) {
            Err(ApiError::SignedOut) => {
                token::renew().await?;
                data(&post(&body).await?)
            }
            answer => answer,
        }
    })
}

fn once(body: String) -> Exchange {
    Box::pin(async move { data(&post(&body).await?) })
}

pub fn encode(operation: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(operation).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> ApiError {
    ApiError::Failed {
        code: None,
        message: error.to_string(),
    }
}

async fn post(body: &str) -> Result<String, ApiError> {
    let mut request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("x-kabar-session", "cookie");
    if let Some(token) = token::current() {
        request = request.header("authorization", &format!("Bearer {token}"));
    }
    let request = request.body(body).map_err(|_| ApiError::Offline)?;
    let response = request.send().await.map_err(|_| ApiError::Offline)?;
    let status = response.status();
    let text = response.text().await.map_err(|_| ApiError::Offline)?;
    let json = response
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind.contains("json"));
    match status {
        401 if !json => Err(ApiError::SignedOut),
        502..=504 => Err(ApiError::Offline),
        _ if json => Ok(text),
        _ => Err(ApiError::Failed {
            code: None,
            message: format!("HTTP {status}"),
        }),
    }
}

/// Reads an answer, over HTTP or the websocket.
pub fn decode<Data: DeserializeOwned>(text: &str) -> Result<Data, ApiError> {
    read(&data(text)?)
}

fn read<Data: DeserializeOwned>(data: &str) -> Result<Data, ApiError> {
    serde_json::from_str(data).map_err(|error| unreadable(&error))
}

/// The data of an answer, or its first error.
fn data(text: &str) -> Result<String, ApiError> {
    let answer: Answer = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    if let Some(error) = answer.errors.into_iter().next() {
        let code = error.extensions.and_then(|extensions| extensions.code);
        return Err(match code.as_deref() {
            Some("UNAUTHENTICATED") => ApiError::SignedOut,
            Some("FORBIDDEN") => ApiError::Forbidden,
            _ => ApiError::Failed {
                code,
                message: error.message,
            },
        });
    }
    Ok(answer.data.map_or("null", RawValue::get).to_owned())
}
