//! Asking, and what the answers should have been.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, stream};
use serde_json::Value;
use tests::Client;

use super::callers::{Caller, Expected};
use super::documents::Call;
use super::expectations::EXCUSED;

/// How many ask at the same time.
const AT_ONCE: usize = 12;

/// What came back.
pub(super) struct Answer {
    /// The code of a top-level error.
    pub(super) refused: Option<String>,
    /// The code of a user error.
    pub(super) declined: Option<String>,
    /// Of the root field.
    pub(super) value: Value,
    pub(super) errors: Value,
}

impl Answer {
    /// What this caller should not have been told, in words.
    pub(super) fn complaint(&self, expected: Expected, field: &str) -> Option<String> {
        match (expected, self.refused.as_deref()) {
            (Expected::Refused(code), Some(told)) if code == told => None,
            (Expected::Refused(code), _) => Some(format!("should be told {code}, but: {self}")),
            (Expected::Allowed, Some(code)) if is_excused(field, code) => None,
            (Expected::Allowed, None) if self.declined.as_deref() != Some("FORBIDDEN") => None,
            (Expected::Allowed, _) => Some(format!("may, but: {self}")),
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.value, self.errors)
    }
}

/// Whether the world of the sweep cannot give what this call needs.
pub(super) fn is_excused(field: &str, code: &str) -> bool {
    EXCUSED
        .iter()
        .any(|(excused, codes)| *excused == field && codes.contains(&code))
}

/// Sends a call, or subscribes.
pub(super) async fn ask(client: &Client, call: &Call, variables: Value) -> Result<Answer> {
    if call.coordinate.starts_with("Subscription.") {
        return listen(client, call, variables).await;
    }
    let response = client.send(&call.document, variables).await?;
    let value = response.data[&call.field].clone();
    Ok(Answer {
        refused: response.code().map(str::to_owned),
        declined: value["userErrors"][0]["code"].as_str().map(str::to_owned),
        value,
        errors: Value::Array(response.errors),
    })
}

/// A refusal of a subscription, or what it has to say at once.
async fn listen(client: &Client, call: &Call, variables: Value) -> Result<Answer> {
    let told = async {
        let mut live = client.subscribe(&call.document, variables).await?;
        live.settled().await
    };
    let (refused, value) = match told.await {
        Ok(values) => (None, Value::Array(values)),
        Err(error) => {
            let text = format!("{error:#}");
            let codes = ["FORBIDDEN", "UNAUTHENTICATED", "TENANT_SUSPENDED", "BAD_REQUEST"];
            let code = codes.into_iter().find(|code| text.contains(code));
            // A socket without a valid token is closed with 4401 or 4403.
            let closed = text.contains("4401") || text.contains("4403");
            let code = code.or(closed.then_some("UNAUTHENTICATED"));
            (Some(code.map_or(text, str::to_owned)), Value::Null)
        }
    };
    Ok(Answer {
        refused,
        declined: None,
        value,
        errors: Value::Null,
    })
}

/// Asks for many at once; fails with all complaints together.
pub(super) async fn all<F>(checks: impl IntoIterator<Item = F>) -> Result<()>
where
    F: Future<Output = Result<Option<String>>>,
{
    let answers: Vec<Result<Option<String>>> = stream::iter(checks).buffer_unordered(AT_ONCE).collect().await;
    let complaints: Vec<String> = answers
        .into_iter()
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect();
    ensure!(
        complaints.is_empty(),
        "{} expectations do not hold (tests/api/sweep/expectations.rs has the rules):\n{}",
        complaints.len(),
        complaints.join("\n")
    );
    Ok(())
}

/// Asks, and says what should have been answered.
pub(super) async fn check(caller: &Caller, call: &Call, ids: &BTreeMap<String, String>) -> Result<Option<String>> {
    let expected = caller.standing.expected(&call.coordinate);
    let answer = ask(&caller.client, call, call.with(ids)).await;
    let answer = answer.with_context(|| format!("{} by {}", call.coordinate, caller.name))?;
    let complaint = answer.complaint(expected, &call.field);
    Ok(complaint.map(|complaint| format!("{}: {} {complaint}", call.coordinate, caller.name)))
}
