//! A mail server that keeps what it is given.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::wait::DEADLINE;

/// A letter as it came over the wire.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: String,
    pub text: String,
    /// Whether it came over TLS.
    pub secured: bool,
}

/// How the server speaks TLS.
#[derive(Clone)]
pub enum Security {
    /// Not at all.
    None,
    /// After STARTTLS.
    StartTls(TlsAcceptor),
    /// From the start.
    Tls(TlsAcceptor),
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
    scheme: &'static str,
    query: &'static str,
    task: JoinHandle<()>,
}

impl MailServer {
    pub async fn start() -> Result<Self> {
        Self::start_with(Security::None).await
    }

    pub async fn start_with(security: Security) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, received) = watch::channel(Vec::new());
        let sender = Arc::new(sender);
        let busy = Arc::new(AtomicUsize::new(0));
        let refusing = Arc::clone(&busy);
        let (scheme, query) = match &security {
            Security::None => ("smtp", ""),
            Security::StartTls(_) => ("smtp", "?tls=required"),
            Security::Tls(_) => ("smtps", ""),
        };
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (sender, busy) = (Arc::clone(&sender), Arc::clone(&refusing));
                let security = security.clone();
                tokio::spawn(async move {
                    // A client that goes away in mid-sentence has sent nothing.
                    let _ = serve(socket, security, &sender, &busy).await;
                });
            }
        });
        Ok(Self {
            address,
            received,
            busy,
            scheme,
            query,
            task,
        })
    }

    /// For `mail.smtp_url`.
    pub fn url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.address, self.query)
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

async fn serve(
    socket: TcpStream,
    security: Security,
    received: &watch::Sender<Vec<Mail>>,
    busy: &AtomicUsize,
) -> Result<()> {
    let acceptor = match security {
        Security::None => {
            converse(socket, Offer::default(), received, busy).await?;
            return Ok(());
        }
        Security::Tls(acceptor) => {
            let offer = Offer {
                secured: true,
                ..Offer::default()
            };
            converse(acceptor.accept(socket).await?, offer, received, busy).await?;
            return Ok(());
        }
        Security::StartTls(acceptor) => acceptor,
    };
    let offer = Offer {
        start_tls: true,
        ..Offer::default()
    };
    if let Some(socket) = converse(socket, offer, received, busy).await? {
        let offer = Offer {
            secured: true,
            greeted: true,
            ..Offer::default()
        };
        converse(acceptor.accept(socket).await?, offer, received, busy).await?;
    }
    Ok(())
}

/// Where a conversation begins.
#[derive(Clone, Copy, Default)]
struct Offer {
    start_tls: bool,
    secured: bool,
    greeted: bool,
}

/// Ends with the socket when the client wants to go on with TLS.
async fn converse<S>(
    socket: S,
    offer: Offer,
    received: &watch::Sender<Vec<Mail>>,
    busy: &AtomicUsize,
) -> Result<Option<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut socket = BufReader::new(socket);
    let (mut from, mut to) = (String::new(), String::new());
    if !offer.greeted {
        say(&mut socket, "220 mail.test ESMTP").await?;
    }
    while let Some(line) = hear(&mut socket).await? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" if offer.start_tls => "250-mail.test\r\n250 STARTTLS",
            "EHLO" | "HELO" => "250 mail.test",
            "STAR" if offer.start_tls => {
                say(&mut socket, "220 go ahead").await?;
                return Ok(Some(socket.into_inner()));
            }
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
                say(&mut socket, "354 go on").await?;
                let mut text = String::new();
                while let Some(line) = hear(&mut socket).await?.filter(|line| line != ".") {
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    text.push('\n');
                }
                // Quoted-printable breaks long lines, such as links; nothing else in them needs quoting.
                let text = text.replace("=\n", "").replace("=3D", "=");
                let (from, to) = (from.clone(), to.clone());
                let secured = offer.secured;
                received.send_modify(|mails| {
                    mails.push(Mail {
                        from,
                        to,
                        text,
                        secured,
                    });
                });
                "250 kept"
            }
            "QUIT" => {
                say(&mut socket, "221 bye").await?;
                return Ok(None);
            }
            _ => "250 ok",
        };
        say(&mut socket, answer).await?;
    }
    Ok(None)
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut BufReader<S>, line: &str) -> Result<()> {
    let socket = socket.get_mut();
    socket.write_all(format!("{line}\r\n").as_bytes()).await?;
    Ok(socket.flush().await?)
}

/// A line without its end; none when the client has gone.
async fn hear<S: AsyncRead + Unpin>(socket: &mut BufReader<S>) -> Result<Option<String>> {
    let mut line = String::new();
    if socket.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn address(line: &str) -> String {
    let start = line.find('<').map_or(0, |at| at + 1);
    let end = line.rfind('>').unwrap_or(line.len());
    line.get(start..end).unwrap_or_default().to_owned()
}
