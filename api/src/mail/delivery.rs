//! Hands letters to the SMTP server, a few at a time, again after a while when it does not take them.

use std::{sync::Arc, time::Duration};

use lettre::{
    AsyncTransport, Message,
    message::{Mailbox, header::ContentType},
    transport::smtp::Error,
};
use tokio::sync::{Semaphore, mpsc, watch};

use super::{Letter, transport::Transport};

/// Letters on their way at the same moment.
const AT_ONCE: usize = 4;
/// How long to wait before each further attempt.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(25),
    Duration::from_secs(125),
];

/// Sends until nobody can give any more letters.
pub async fn deliver_all(
    mut letters: mpsc::Receiver<Letter>,
    transport: Transport,
    from: Mailbox,
    open: Arc<watch::Sender<usize>>,
) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(letter) = letters.recv().await {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let (transport, from, open) = (transport.clone(), from.clone(), Arc::clone(&open));
        tokio::spawn(async move {
            let result = if deliver(&transport, from, letter).await {
                "sent"
            } else {
                "failed"
            };
            metrics::counter!("kabar_mails_total", "result" => result).increment(1);
            open.send_modify(|open| *open = open.saturating_sub(1));
            drop(permit);
        });
    }
}

async fn deliver(transport: &Transport, from: Mailbox, letter: Letter) -> bool {
    let message = match write(from, letter) {
        Ok(message) => message,
        Err(problem) => {
            tracing::warn!(problem, "a letter can't be written");
            return false;
        }
    };
    let mut pauses = PAUSES.into_iter();
    loop {
        let Err(error) = transport.send(message.clone()).await else {
            return true;
        };
        let reason = reason(&error);
        let next = if error.is_permanent() { None } else { pauses.next() };
        let Some(pause) = next else {
            tracing::warn!(reason, "a letter was not taken by the SMTP server; it is given up");
            return false;
        };
        tracing::info!(
            reason,
            ?pause,
            "a letter was not taken by the SMTP server; it is tried again"
        );
        tokio::time::sleep(pause).await;
    }
}

/// Why a letter was not taken. What servers say may hold the address, so of an answer only the code is told; what went wrong
/// before one, such as a certificate that is not trusted or a server without STARTTLS, is told whole.
fn reason(error: &Error) -> String {
    match error.status() {
        Some(code) => code.to_string(),
        None if error.is_response() => "the answer could not be understood".to_owned(),
        None => error.to_string(),
    }
}

fn write(from: Mailbox, letter: Letter) -> Result<Message, String> {
    let to: lettre::Address = letter.to.parse().map_err(|_| "the address is none")?;
    Message::builder()
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(letter.subject)
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_cannot_bring_headers_along() {
        let letter = Letter {
            to: "budi@kabar.test".into(),
            subject: "Hello\r\nBcc: everybody@kabar.test".into(),
            text: "Hello".into(),
        };
        let from = super::super::sender("Kabar <kabar@kabar.test>").expect("a sender");
        let text = write(from, letter).expect("written").formatted();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.to_lowercase().contains("\r\nbcc:"), "{text}");
    }

    #[test]
    fn an_address_that_is_none_is_not_written_to() {
        let letter = Letter {
            to: "budi@kabar.test\r\nBcc: x@y".into(),
            subject: "x".into(),
            text: "x".into(),
        };
        let from = super::super::sender("kabar@kabar.test").expect("a sender");
        assert!(write(from, letter).is_err());
    }
}
