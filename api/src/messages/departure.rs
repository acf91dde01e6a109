//! What was claimed leaves for WhatsApp; what did not leave is given back, postponed or failed.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{ChatId, MessageId};
use futures::{StreamExt, stream};
use sea_orm::DbErr;
use tracing::Instrument;

use super::{
    addressing,
    attempts::{self, Failure},
    claims::Claimed,
    lane::{Lane, Parts},
    recent::Sent,
};
use crate::{devices::LeasedDevice, engine::SendError, telemetry::spans};

/// How many chats of one device are written to at the same time. Within a chat messages keep their order.
const CHATS_AT_ONCE: usize = 32;
/// After so many attempts a message that cannot be prepared fails.
const MOST_ATTEMPTS: i32 = 8;

/// Sends chats side by side and the messages of a chat one after the other. Answers those that did not leave.
pub async fn send_all(parts: &Parts, lane: &Lane, messages: Vec<Claimed>) -> Vec<(Claimed, SendError)> {
    let mut chats: Vec<(ChatId, Vec<Claimed>)> = Vec::new();
    let mut places: HashMap<ChatId, usize> = HashMap::new();
    for message in messages {
        let place = *places.entry(message.chat_id).or_insert_with(|| {
            chats.push((message.chat_id, Vec::new()));
            chats.len() - 1
        });
        chats[place].1.push(message);
    }
    let failed = stream::iter(chats).map(|(_, messages)| async move {
        let mut failed = Vec::new();
        for message in messages {
            let span = spans::message_send(lane.lease.tenant(), lane.lease.id(), message.id, message.attempts);
            if let Err(error) = send(parts, &lane.lease, &message).instrument(span.clone()).await {
                spans::failed(&span, error.kind());
                failed.push((message, error));
            }
        }
        failed
    });
    failed.buffer_unordered(CHATS_AT_ONCE).concat().await
}

pub fn named(message: &Claimed) -> (&str, Sent) {
    let sent = Sent {
        id: message.id,
        chat_id: message.chat_id,
    };
    (&message.whatsapp_id, sent)
}

async fn send(parts: &Parts, lease: &LeasedDevice, message: &Claimed) -> Result<(), SendError> {
    let outgoing = addressing::outgoing(&parts.store, &parts.engine, lease, message).await?;
    parts.engine.send(lease.id(), outgoing).await
}

/// Writes down what did not leave.
pub async fn settle(parts: &Parts, lane: &Lane, failed: Vec<(Claimed, SendError)>) -> Result<(), DbErr> {
    if failed.is_empty() {
        return Ok(());
    }
    let now = parts.clock.now();
    let mut unsent: Vec<MessageId> = Vec::new();
    let mut failures: Vec<(MessageId, Failure)> = Vec::new();
    let mut postponed: BTreeMap<DateTime<Utc>, Vec<MessageId>> = BTreeMap::new();
    lane.expect_no_acks(failed.iter().map(|(message, _)| &message.whatsapp_id));
    for (message, error) in failed {
        match error {
            SendError::NotConnected => unsent.push(message.id),
            SendError::Failed(_) | SendError::Timeout | SendError::Transport if message.attempts < MOST_ATTEMPTS => {
                let pause = TimeDelta::seconds(1 << message.attempts.clamp(0, 8));
                postponed.entry(now + pause).or_default().push(message.id);
            }
            // The outcome is unknown, so this cannot be called a failure: it waits for the next connection.
            SendError::Timeout | SendError::Transport => {}
            SendError::NotOnWhatsApp => {
                failures.push((
                    message.id,
                    failure("NOT_ON_WHATSAPP", "The number has no WhatsApp account."),
                ));
            }
            SendError::Address => {
                failures.push((message.id, failure("INVALID_ADDRESS", "WhatsApp has no such address.")));
            }
            SendError::Rejected(reason) => failures.push((message.id, failure("REJECTED", &reason))),
            SendError::Failed(reason) => failures.push((message.id, failure("SEND_FAILED", &reason))),
        }
    }
    for (at, ids) in postponed {
        attempts::postpone(&parts.store, &lane.lease, &ids, at).await?;
    }
    if !unsent.is_empty() {
        attempts::give_back(&parts.store, &lane.lease, &unsent).await?;
        // The engine knows sooner than the news of it comes here.
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    if !failures.is_empty() {
        attempts::fail(&parts.store, &parts.events, &lane.lease, &failures, now).await?;
        for (id, _) in &failures {
            parts.waiting.changed(*id);
        }
    }
    Ok(())
}

fn failure(code: &'static str, message: &str) -> Failure {
    Failure {
        code,
        message: message.to_owned(),
        number: None,
    }
}
