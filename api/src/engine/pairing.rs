//! Linking with a code that is typed on the phone.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::sync::oneshot;
use whatsapp_rust::{
    Client,
    pair_code::{PairCodeError, PairCodeOptions, PairError},
};

use super::{EngineError, PairingCode};
use crate::clock::Clock;

/// How long WhatsApp takes a code.
const LIFETIME: TimeDelta = TimeDelta::seconds(180);
/// How long the connection may take to come up first.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks for a code. A code that was asked for before is withdrawn: the phone can only take the newest.
pub(super) async fn request_code(
    client: Arc<Client>,
    clock: Clock,
    phone_digits: String,
    reply: oneshot::Sender<Result<PairingCode, EngineError>>,
) {
    // Whoever asked may have been cancelled; the code is told as an event too.
    let _ = reply.send(request(&client, &clock, phone_digits).await);
}

async fn request(client: &Arc<Client>, clock: &Clock, phone_digits: String) -> Result<PairingCode, EngineError> {
    if client.pn().is_some() {
        return Err(EngineError::AlreadyLinked);
    }
    client
        .wait_for_socket(PATIENCE)
        .await
        .map_err(|_| EngineError::NotConnected)?;
    let options = PairCodeOptions {
        phone_number: phone_digits,
        ..PairCodeOptions::default()
    };
    let code = match client.pair_with_code(options.clone()).await {
        Err(PairError::PairCode(PairCodeError::CodeAlreadyOutstanding { .. })) => {
            client.cancel_pair_code().await;
            client.pair_with_code(options).await
        }
        first => first,
    };
    let code = code.map_err(|error| match error {
        PairError::PairCode(
            PairCodeError::PhoneNumberRequired
            | PairCodeError::PhoneNumberTooShort
            | PairCodeError::PhoneNumberNotInternational,
        ) => EngineError::Address,
        other => EngineError::Refused(other.to_string()),
    })?;
    Ok(PairingCode {
        code: code.replace('-', ""),
        expires_at: clock.now() + LIFETIME,
    })
}
