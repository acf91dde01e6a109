//! A mail server that keeps what it is given.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::wait::DEADLINE;

/// A letter as it came over the wire.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: String,
    pub text: String,
}

impl Mail {
    /// The first address of a page in it.
    pub fn link(&self) -> Result<String> {
        let start = self.text.find("http").context("the letter has no link")?;
        let link = self.text[start..].split_whitespace().next().unwrap_or_default();
        Ok(link.to_owned())
    }

    /// What stands behind the mark of its link.
    pub fn secret(&self) -> Result<String> {
        let link = self.link()?;
        let (_, secret) = link.split_once('#').with_context(|| link.clone())?;
        Ok(secret.to_owned())
    }
}

/// Speaks as much SMTP (RFC 5321) as a client needs that has one letter for one person.
#[derive(Debug)]
pub struct MailServer {
    address: std::net::SocketAddr,
    received: watch::Receiver<Vec<Mail>>,
    busy: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl MailServer {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, received) = watch::channel(Vec::new());
        let sender = Arc::new(sender);
        let busy = Arc::new(AtomicUsize::new(0));
        let refusing = Arc::clone(&busy);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (sender, busy) = (Arc::clone(&sender), Arc::clone(&refusing));
                tokio::spawn(async move {
                    // A client that goes away in mid-sentence has sent nothing.
                    let _ = converse(socket, &sender, &busy).await;
                });
            }
        });
        Ok(Self {
            address,
            received,
            busy,
            task,
        })
    }

    /// For `mail.smtp_url`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Tells the next so many letters to come again later.
    pub fn refuse_for_now(&self, letters: usize) {
        self.busy.store(letters, Ordering::SeqCst);
    }

    /// What came until now.
    pub fn received(&self) -> Vec<Mail> {
        self.received.borrow().clone()
    }

    /// Waits until so many letters came.
    pub async fn until(&self, count: usize) -> Result<Vec<Mail>> {
        let mut received = self.received.clone();
        let came = received.wait_for(|mails| mails.len() >= count);
        let mails = tokio::time::timeout(DEADLINE, came)
            .await
            .with_context(|| format!("{count} letters did not come within {DEADLINE:?}"))??;
        Ok(mails.clone())
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(socket: TcpStream, received: &watch::Sender<Vec<Mail>>, busy: &AtomicUsize) -> Result<()> {
    let (reader, mut writer) = socket.into_split();
    let mut lines = BufReader::new(reader).lines();
    let (mut from, mut to) = (String::new(), String::new());
    writer.write_all(b"220 mail.test ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" | "HELO" => "250 mail.test",
            "MAIL" => {
                from = address(&line);
                let refuse = |left: usize| left.checked_sub(1);
                match busy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuse) {
                    Ok(_) => "451 come again later",
                    Err(_) => "250 ok",
                }
            }
            "RCPT" => {
                to = address(&line);
                "250 ok"
            }
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    text.push('\n');
                }
                // Quoted-printable breaks long lines, such as links; nothing else in them needs quoting.
                let text = text.replace("=\n", "").replace("=3D", "=");
                let (from, to) = (from.clone(), to.clone());
                received.send_modify(|mails| mails.push(Mail { from, to, text }));
                "250 kept"
            }
            "QUIT" => {
                writer.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 ok",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn address(line: &str) -> String {
    let start = line.find('<').map_or(0, |at| at + 1);
    let end = line.rfind('>').unwrap_or(line.len());
    line.get(start..end).unwrap_or_default().to_owned()
}
