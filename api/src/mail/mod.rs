//! Mail that goes out: to the SMTP server of the configuration, beside the requests that caused it.
//!
//! Owns the queue of letters, in memory: `docs/adr/0008-letters-in-memory.md` says why. What is mailed can be asked for
//! again: a letter that a crash took is not missed by anybody but the person who asks once more.
//!
//! **Invariant:** [`Mailer::send`] never waits. The queue is bounded; when it is full, the letter is dropped, counted and
//! told in the log. No log line holds an address or a link.
//!
//! **Invariant:** a server whose certificate is not trusted gets no letter when TLS is asked for. Whoever caused the letter
//! is told nothing of it; the log is.

mod delivery;
mod transport;

use std::{sync::Arc, time::Duration};

use lettre::message::Mailbox;
use tokio::sync::{mpsc, watch};

use crate::config;

/// More letters don't wait.
const LONGEST_QUEUE: usize = 256;

/// Mail can't be sent as configured.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address of the server can't be used.
    #[error("mail.smtp_url can't be used: {0}")]
    Server(#[from] lettre::transport::smtp::Error),
    /// The sender is no mail address.
    #[error("mail.from is no mail address: {0}")]
    From(#[from] lettre::address::AddressError),
}

/// A letter to one person, in plain text.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Whom it goes to.
    pub to: String,
    /// One line.
    pub subject: String,
    /// What it says.
    pub text: String,
}

/// Sends letters, or says that it can't. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    queue: Option<mpsc::Sender<Letter>>,
    /// How many letters were taken and have neither arrived nor failed.
    open: Arc<watch::Sender<usize>>,
}

impl Mailer {
    /// Starts sending, when the configuration has an SMTP server.
    pub fn start(config: &config::Mail) -> Result<Self, MailError> {
        let open = Arc::new(watch::Sender::new(0));
        let Some(url) = &config.smtp_url else {
            return Ok(Self { queue: None, open });
        };
        let from = sender(&config.from)?;
        let transport = transport::build(url.expose(), config.authorities.as_deref())?;
        let (queue, letters) = mpsc::channel(LONGEST_QUEUE);
        tokio::spawn(delivery::deliver_all(letters, transport, from, Arc::clone(&open)));
        Ok(Self {
            queue: Some(queue),
            open,
        })
    }

    /// Whether there is a server to send to.
    pub fn is_on(&self) -> bool {
        self.queue.is_some()
    }

    /// Takes a letter for sending. False when nothing is sent: no server is configured, or too many letters wait.
    pub fn send(&self, letter: Letter) -> bool {
        let Some(queue) = &self.queue else { return false };
        self.open.send_modify(|open| *open += 1);
        let taken = queue.try_send(letter).is_ok();
        if !taken {
            self.open.send_modify(|open| *open -= 1);
            metrics::counter!("kabar_mails_total", "result" => "dropped").increment(1);
            tracing::warn!("a letter was not sent: too many wait for the SMTP server");
        }
        taken
    }

    /// Waits until nothing is open, at most this long.
    pub async fn drain(&self, grace: Duration) {
        let mut open = self.open.subscribe();
        let done = open.wait_for(|open| *open == 0);
        if tokio::time::timeout(grace, done).await.is_err() {
            tracing::warn!("some letters were not sent before the server stopped");
        }
    }
}

/// Reads a sender: an address, or a name with an address in angle brackets.
pub fn sender(text: &str) -> Result<Mailbox, lettre::address::AddressError> {
    text.parse()
}
