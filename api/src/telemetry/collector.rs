//! The client that hands spans to the collector.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::{Agent, config::Config};

/// More of an answer is not read.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Blocks, and may: only the thread that delivers spans calls it.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
}

impl Client {
    /// A client that gives a request up after so long.
    pub fn new(patience: Duration) -> Self {
        let config = Config::builder()
            .timeout_global(Some(patience))
            // Where traces go is what is configured, whatever the environment or an answer says.
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .build();
        Self { agent: config.into() }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let answer = self.agent.run(Request::from_parts(parts, body.as_ref()))?;
        let (parts, mut body) = answer.into_parts();
        let bytes = body.with_config().limit(LONGEST_ANSWER).read_to_vec()?;
        Ok(Response::from_parts(parts, bytes.into()))
    }
}
