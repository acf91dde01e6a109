//! Which phone numbers are on WhatsApp: asked once, believed for a while.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use wacore_binary::Jid;
use whatsapp_rust::{Client, features::ContactError};

use super::{EngineError, Resolved, addresses::phone_jid};

/// How many answers are kept for all devices together: about 10 MB when full.
const KEPT: usize = 50_000;
const PATIENCE: Duration = Duration::from_secs(20);
/// A number that was not on WhatsApp may come any moment; so long it is not asked for again.
const ABSENT: Duration = Duration::from_mins(10);

#[derive(Clone)]
struct Answer {
    asked: Instant,
    resolved: Option<Resolved>,
}

/// Answers of all devices: whether a number is on WhatsApp does not depend on who asks.
pub(super) struct Directory {
    lifetime: Duration,
    answers: Mutex<HashMap<String, Answer>>,
}

impl Directory {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            answers: Mutex::default(),
        }
    }

    /// Whether a message may be sent there. A person without a LID known to us is looked up; the library would look up
    /// the LID otherwise, so this costs nothing more, and it would send a message to nobody.
    pub(super) async fn is_reachable(&self, client: &Client, to: &Jid) -> bool {
        if !to.is_pn() || matches!(client.get_lid_pn_entry(to).await, Ok(Some(_))) {
            return true;
        }
        // Without an answer the message is tried.
        !matches!(self.resolve(client, &to.user).await, Ok(None))
    }

    pub(super) async fn resolve(&self, client: &Client, digits: &str) -> Result<Option<Resolved>, EngineError> {
        let jid = phone_jid(digits).ok_or(EngineError::Address)?;
        if let Some(known) = self.known(digits) {
            return Ok(known.resolved);
        }
        let contacts = client.contacts();
        let ask = contacts.is_on_whatsapp(std::slice::from_ref(&jid));
        let answers = tokio::time::timeout(PATIENCE, ask)
            .await
            .map_err(|_| EngineError::Timeout)?
            .map_err(|error| match error {
                ContactError::InvalidJid(_) => EngineError::Address,
                other => EngineError::Refused(other.to_string()),
            })?;
        let answer = answers.into_iter().next();
        if let Some(error) = answer.as_ref().and_then(|answer| answer.contact_error.as_ref()) {
            return Err(EngineError::Refused(error.text.clone().unwrap_or_default()));
        }
        let resolved = answer.filter(|answer| answer.is_registered).map(|answer| {
            let (pn, lid) = if answer.jid.is_lid() {
                (answer.pn_jid, Some(answer.jid))
            } else {
                (Some(answer.jid), answer.lid)
            };
            Resolved {
                jid: pn.unwrap_or(jid).to_non_ad_string(),
                lid: lid.map(|lid| lid.to_non_ad_string()),
            }
        });
        self.keep(digits, resolved.clone());
        Ok(resolved)
    }

    fn known(&self, digits: &str) -> Option<Answer> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(digits).filter(|answer| self.is_fresh(answer)).cloned()
    }

    fn keep(&self, digits: &str, resolved: Option<Resolved>) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= KEPT {
            answers.retain(|_, answer| self.is_fresh(answer));
        }
        if answers.len() >= KEPT {
            answers.clear();
        }
        answers.insert(
            digits.to_owned(),
            Answer {
                asked: Instant::now(),
                resolved,
            },
        );
    }
    fn is_fresh(&self, answer: &Answer) -> bool {
        let lifetime = if answer.resolved.is_some() {
            self.lifetime
        } else {
            self.lifetime.min(ABSENT)
        };
        answer.asked.elapsed() < lifetime
    }
}
