//! How many texts a second the network carries, and what one costs it.
//!
//! `cargo bench -p sandbox -- [clients] [texts per client] [phones|clients]` starts the network as a process of
//! its own, links clients to it and lets each send texts: to the next client's account (two devices
//! to encrypt for: the client and its phone), or to a simulated phone alone. The network's
//! processor time is read from `/proc`; the clients' is in the rest of the machine.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use whatsapp_rust::http::UreqHttpClient;
use whatsapp_rust::prelude::*;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;
use whatsapp_rust::wacore::net::{HttpClient, HttpRequest};
use whatsapp_rust::wacore::store::InMemoryBackend;

struct Sandbox {
    process: Child,
    address: String,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}

impl Sandbox {
    fn start() -> anyhow::Result<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_kabar-sandbox"))
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = process.stdout.take().ok_or_else(|| anyhow::anyhow!("no output"))?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line
            .split("ws://")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .ok_or_else(|| anyhow::anyhow!("no address"))?
            .to_owned();
        Ok(Self { process, address })
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let request = HttpRequest {
            url: format!("http://{}{path}", self.address),
            method: "POST".to_owned(),
            headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
            body: Some(body.to_string().into()),
        };
        let answer = UreqHttpClient::new().execute(request).await?;
        anyhow::ensure!(answer.status_code == 200, "{}", String::from_utf8_lossy(&answer.body));
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// Processor time and resident memory so far.
    fn usage(&self) -> anyhow::Result<(Duration, u64)> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        let pages: u64 = fields[21].parse()?;
        Ok((Duration::from_millis(ticks * 10), pages * 4096))
    }
}

/// What a client saw.
#[derive(Default)]
struct Seen {
    connected: AtomicUsize,
    messages: AtomicUsize,
    acks: AtomicUsize,
    delivered: AtomicUsize,
}

struct Peer {
    client: Arc<Client>,
    number: String,
    seen: Arc<Seen>,
    _handle: BotHandle,
}

async fn link(sandbox: &Sandbox, index: usize) -> anyhow::Result<Peer> {
    let number = format!("628{index:09}");
    let seen = Arc::new(Seen::default());
    let (code, mut codes) = tokio::sync::mpsc::unbounded_channel();
    let counters = Arc::clone(&seen);
    let bot = Bot::builder()
        .with_backend(InMemoryBackend::new())
        .with_transport_factory(
            TokioWebSocketTransportFactory::new().with_url(format!("ws://{}/ws/chat", sandbox.address)),
        )
        .with_http_client(UreqHttpClient::new())
        .with_version((2, 3000, 1_023_000_000))
        .with_wanted_pre_key_count(30)
        .on_event(move |event, _| {
            let counters = Arc::clone(&counters);
            let code = code.clone();
            async move {
                match &*event {
                    Event::PairingQrCode(qr) => {
                        let _ = code.send(qr.code.clone());
                    }
                    Event::Connected(_) => {
                        counters.connected.fetch_add(1, Ordering::Relaxed);
                    }
                    Event::Messages(batch) => {
                        counters.messages.fetch_add(batch.messages.len(), Ordering::Relaxed);
                    }
                    Event::ServerAck(ack) if ack.class.as_deref() == Some("message") => {
                        counters.acks.fetch_add(1, Ordering::Relaxed);
                    }
                    Event::Receipt(receipt) => {
                        counters
                            .delivered
                            .fetch_add(receipt.message_ids.len(), Ordering::Relaxed);
                    }
                    _ => {}
                }
            }
        })
        .build()
        .await?;
    let client = bot.client();
    let handle = bot.spawn();
    let qr = codes.recv().await.ok_or_else(|| anyhow::anyhow!("no code"))?;
    sandbox
        .post("/control/scan-qr", json!({"number": number, "qr": qr}))
        .await?;
    while seen.connected.load(Ordering::Relaxed) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(Peer {
        client,
        number,
        seen,
        _handle: handle,
    })
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let number = |place: usize, default: usize| {
        arguments
            .get(place)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (clients, texts) = (number(0, 20), number(1, 1_000));
    let to_phones = arguments.get(2).is_some_and(|kind| kind == "phones");

    let sandbox = Sandbox::start()?;
    let started = Instant::now();
    let mut peers = Vec::new();
    for index in 0..clients {
        peers.push(link(&sandbox, index).await?);
    }
    let (cpu, memory) = sandbox.usage()?;
    println!(
        "{clients} clients linked in {:.1?}; the network: {cpu:.1?} processor time, {} MiB",
        started.elapsed(),
        memory >> 20
    );

    let mut recipients = Vec::new();
    for index in 0..clients {
        let recipient = if to_phones {
            let number = format!("629{index:09}");
            sandbox.post("/control/phones", json!({"number": number})).await?;
            number
        } else {
            peers[(index + 1) % clients].number.clone()
        };
        // The first text starts the sessions; it is not measured.
        peers[index]
            .client
            .send_text(Jid::pn(recipient.as_str()), "first")
            .await?;
        recipients.push(recipient);
    }
    let delivered_before = wait_for(&peers, clients).await;

    let (cpu_before, _) = sandbox.usage()?;
    let started = Instant::now();
    let sending: Vec<_> = peers
        .iter()
        .zip(&recipients)
        .map(|(peer, recipient)| {
            let (client, to) = (Arc::clone(&peer.client), Jid::pn(recipient.as_str()));
            tokio::spawn(async move {
                for index in 0..texts {
                    client.send_text(&to, format!("text {index}")).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in sending {
        task.await??;
    }
    let sent = started.elapsed();
    let total = clients * texts;
    wait_for(&peers, delivered_before + total).await;
    let elapsed = started.elapsed();
    let (cpu_after, memory) = sandbox.usage()?;
    let acks: usize = peers.iter().map(|peer| peer.seen.acks.load(Ordering::Relaxed)).sum();
    let messages: usize = peers
        .iter()
        .map(|peer| peer.seen.messages.load(Ordering::Relaxed))
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let rate = total as f64 / elapsed.as_secs_f64();
    println!(
        "{total} texts: written in {sent:.2?}, delivered in {elapsed:.2?} ({rate:.0} a second); acks {acks}, \
         messages to clients {messages}; the network: {:.1?} a text, {} MiB",
        cpu_after.saturating_sub(cpu_before) / u32::try_from(total)?,
        memory >> 20
    );
    Ok(())
}

/// Waits until this many messages were reported delivered (by phones, which are always there).
async fn wait_for(peers: &[Peer], count: usize) -> usize {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        let delivered: usize = peers
            .iter()
            .map(|peer| peer.seen.delivered.load(Ordering::Relaxed))
            .sum();
        if delivered >= count || Instant::now() > deadline {
            return delivered;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
