//! The benchmark's first rival: the client library alone, on its in-memory store, which keeps nothing.
//!
//! Reads one command per line from standard input and answers each with one line; `bench` drives it. It dials with
//! `TCP_NODELAY`, which the library's own transport lacks, because otherwise every comparison would flatter us.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_websockets::{ClientBuilder, MaybeTlsStream};
use wacore::net::{Transport, TransportEvent, TransportFactory};
use wacore::store::in_memory::InMemoryBackend;
use wacore::store::traits::Backend;
use wacore::types::events::Event;
use wacore_binary::Jid;
use waproto::whatsapp::Message;
use whatsapp_rust::bot::{Bot, BotHandle};
use whatsapp_rust::transport::from_websocket;

/// How many clients link at the same time.
const LINKING: usize = 8;

struct Dialer(String);

#[async_trait::async_trait]
impl TransportFactory for Dialer {
    async fn create_transport(&self) -> Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>)> {
        let uri: http::Uri = self.0.parse()?;
        let host = uri.host().context("no host")?;
        let stream = TcpStream::connect((host, uri.port_u16().context("no port")?)).await?;
        stream.set_nodelay(true)?;
        let (socket, _) = ClientBuilder::from_uri(uri)
            .connect_on(MaybeTlsStream::Plain(stream))
            .await?;
        Ok(from_websocket(socket))
    }
}

#[derive(Default)]
struct Counters {
    connected: AtomicUsize,
    received: AtomicUsize,
    acknowledged: AtomicUsize,
}

/// One client, what it keeps, and the permits for its unacknowledged texts.
struct One {
    number: String,
    backend: Arc<dyn Backend>,
    bot: BotHandle,
    window: Arc<Semaphore>,
}

struct Clients {
    url: String,
    control: String,
    /// How many texts of one client may be without an acknowledgement.
    window: usize,
    http: reqwest::Client,
    counters: Arc<Counters>,
    all: Vec<One>,
    /// Those that were stopped: whose they are, and what they keep.
    stopped: Vec<(String, Arc<dyn Backend>)>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().context("usage: bare-client WEBSOCKET CONTROL WINDOW");
    let (url, control, window) = (argument()?, argument()?, argument()?.parse()?);
    let mut clients = Clients {
        url,
        control,
        window,
        http: reqwest::Client::new(),
        counters: Arc::default(),
        all: Vec::new(),
        stopped: Vec::new(),
    };
    say(&json!({ "ok": true }))?;
    let (lines, mut commands) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = commands.recv().await {
        let command: Value = serde_json::from_str(&line)?;
        let seconds = clients.obey(&command).await?;
        say(&json!({ "ok": true, "seconds": seconds }))?;
    }
    Ok(())
}

fn say(answer: &Value) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{answer}")?;
    Ok(stdout.flush()?)
}

impl Clients {
    async fn obey(&mut self, command: &Value) -> Result<f64> {
        let numbers = |field: &str| -> Vec<String> {
            command[field]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|number| number.as_str().map(str::to_owned))
                .collect()
        };
        let count = usize::try_from(command["count"].as_u64().unwrap_or_default())?;
        let began = Instant::now();
        match command["do"].as_str() {
            Some("link") => self.link(numbers("numbers")).await?,
            Some("send") => {
                self.send(
                    &numbers("to"),
                    count,
                    usize::try_from(command["from"].as_u64().unwrap_or(1))?,
                )
                .await?;
            }
            Some("reset") => {
                for counter in [&self.counters.connected, &self.counters.received] {
                    counter.store(0, Ordering::SeqCst);
                }
            }
            Some("stop") => {
                for one in std::mem::take(&mut self.all) {
                    one.bot.shutdown().await;
                    self.stopped.push((one.number, one.backend));
                }
            }
            Some("start") => {
                for (number, backend) in std::mem::take(&mut self.stopped) {
                    let (one, _) = self.start(number, backend).await?;
                    self.all.push(one);
                }
            }
            Some("received") => {
                self.until("the first text came", |counters| &counters.received, 1)
                    .await?;
                let first = Instant::now();
                self.until("all texts came", |counters| &counters.received, count)
                    .await?;
                return Ok(first.elapsed().as_secs_f64());
            }
            Some("connected") => {
                self.until("all are connected", |counters| &counters.connected, count)
                    .await?;
            }
            other => bail!("unknown command {other:?}"),
        }
        Ok(began.elapsed().as_secs_f64())
    }

    async fn link(&mut self, numbers: Vec<String>) -> Result<()> {
        let permits = Arc::new(Semaphore::new(LINKING));
        let mut linking = Vec::new();
        for number in numbers {
            let permit = Arc::clone(&permits).acquire_owned().await?;
            let (one, linked) = self.start(number, Arc::new(InMemoryBackend::new())).await?;
            self.all.push(one);
            linking.push(tokio::spawn(async move {
                let outcome = tokio::time::timeout(Duration::from_mins(1), linked).await;
                drop(permit);
                outcome.context("a client did not link")?.context("a client ended")
            }));
        }
        for linked in linking {
            linked.await??;
        }
        Ok(())
    }

    async fn start(
        &self,
        number: String,
        backend: Arc<dyn Backend>,
    ) -> Result<(One, tokio::sync::oneshot::Receiver<()>)> {
        let window = Arc::new(Semaphore::new(self.window));
        let (linked, is_linked) = tokio::sync::oneshot::channel();
        let linked = Arc::new(std::sync::Mutex::new(Some(linked)));
        let (counters, permits) = (Arc::clone(&self.counters), Arc::clone(&window));
        let (http, control) = (self.http.clone(), self.control.clone());
        let scanned = Arc::new(AtomicUsize::new(0));
        let owner = number.clone();
        let bot = Bot::builder()
            .with_backend_arc(Arc::clone(&backend))
            .with_transport_factory(Dialer(self.url.clone()))
            .with_version((2, 3000, 1_023_223_821))
            .skip_history_sync()
            .on_event(move |event, _| {
                let (counters, permits) = (Arc::clone(&counters), Arc::clone(&permits));
                let (linked, scanned) = (Arc::clone(&linked), Arc::clone(&scanned));
                let (http, control, number) = (http.clone(), control.clone(), owner.clone());
                async move {
                    match &*event {
                        Event::PairingQrCode(qr) if scanned.fetch_add(1, Ordering::SeqCst) == 0 => {
                            let body = json!({ "number": number, "qr": qr.code });
                            let scan = http.post(format!("{control}/control/scan-qr")).json(&body).send();
                            if let Err(error) = scan.await {
                                eprintln!("scan of {number}: {error}");
                            }
                        }
                        Event::Connected(_) => {
                            counters.connected.fetch_add(1, Ordering::SeqCst);
                            if let Some(linked) = linked.lock().ok().and_then(|mut linked| linked.take()) {
                                // Nobody waits any more when the driver has given up.
                                let _ = linked.send(());
                            }
                        }
                        Event::ServerAck(ack) if ack.class.as_deref() == Some("message") => {
                            counters.acknowledged.fetch_add(1, Ordering::SeqCst);
                            permits.add_permits(1);
                        }
                        Event::Messages(batch) => {
                            counters.received.fetch_add(batch.messages.len(), Ordering::SeqCst);
                        }
                        _ => {}
                    }
                }
            })
            .build()
            .await?;
        bot.client().set_force_active_delivery_receipts(true);
        Ok((
            One {
                number,
                backend,
                bot: bot.spawn(),
                window,
            },
            is_linked,
        ))
    }

    /// Sends `count` texts from the first `from` clients, each to one recipient after the other, until all are acknowledged.
    async fn send(&self, to: &[String], count: usize, from: usize) -> Result<()> {
        self.counters.acknowledged.store(0, Ordering::SeqCst);
        let mut sending = Vec::new();
        for (index, one) in self.all.iter().take(from).enumerate() {
            let (client, window) = (one.bot.client(), Arc::clone(&one.window));
            let recipients: Vec<Jid> = to
                .iter()
                .map(|number| Jid::pn(number.trim_start_matches('+')))
                .collect();
            sending.push(tokio::spawn(async move {
                for text in (index..count).step_by(from) {
                    window.acquire().await?.forget();
                    let recipient = recipients[(text / from + index) % recipients.len()].clone();
                    let message = Message {
                        conversation: Some(format!("text {text}")),
                        ..Default::default()
                    };
                    client.send_message(recipient, message).await?;
                }
                anyhow::Ok(())
            }));
        }
        for one in sending {
            one.await??;
        }
        self.until("all texts are acknowledged", |counters| &counters.acknowledged, count)
            .await
    }

    async fn until(&self, what: &str, counter: impl Fn(&Counters) -> &AtomicUsize, wanted: usize) -> Result<()> {
        let began = Instant::now();
        while counter(&self.counters).load(Ordering::SeqCst) < wanted {
            if began.elapsed() > Duration::from_mins(3) {
                bail!("{what}: {} of {wanted}", counter(&self.counters).load(Ordering::SeqCst));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}
