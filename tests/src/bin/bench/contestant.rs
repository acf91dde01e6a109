//! Who is measured: Kabar through its API, or a rival that obeys commands.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tests::{Client, Kabar, SEND, Usage, text_input, usage_of, within};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::network::SandboxProcess;

const EMAIL: &str = "bench@kabar.test";
const PASSWORD: &str = "a password for the benchmark";
const LINKING: usize = 8;
/// HTTP connections that write at the same time.
pub const CONNECTIONS: usize = 32;
const PATIENCE: Duration = Duration::from_mins(5);

pub enum Contestant {
    Kabar(KabarContestant),
    Rival(Rival),
}

/// A process that obeys one command per line.
pub struct Rival {
    child: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    can_stop: bool,
}

impl Rival {
    pub async fn bare(programs: &Path, network: &SandboxProcess) -> Result<Self> {
        let bare = Self::start(Command::new(programs.join("bare-client")), network).await?;
        Ok(Self { can_stop: true, ..bare })
    }

    pub async fn baileys(network: &SandboxProcess) -> Result<Self> {
        let mut node = Command::new("node");
        node.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/bench/baileys.mjs"));
        Self::start(node, network).await
    }

    async fn start(mut command: Command, network: &SandboxProcess) -> Result<Self> {
        // A rival has as many texts on the wire as Kabar has by default.
        let window = api::config::Config::for_tests(&[])?.sending.window;
        command
            .args([&network.websocket, &network.control, &window.to_string()])
            .kill_on_drop(true);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the rival")?;
        let stdin = child.stdin.take().context("no input")?;
        let answers = BufReader::new(child.stdout.take().context("no output")?).lines();
        let mut rival = Self {
            child,
            stdin,
            answers,
            can_stop: false,
        };
        rival.answer().await?;
        Ok(rival)
    }

    pub async fn tell(&mut self, command: &Value) -> Result<()> {
        self.stdin.write_all(format!("{command}\n").as_bytes()).await?;
        Ok(self.stdin.flush().await?)
    }

    /// The seconds that the command took.
    pub async fn answer(&mut self) -> Result<f64> {
        loop {
            let line = self.answers.next_line().await?.context("the rival ended")?;
            if let Ok(answer) = serde_json::from_str::<Value>(&line) {
                return Ok(answer["seconds"].as_f64().unwrap_or_default());
            }
        }
    }

    pub async fn obey(&mut self, command: Value) -> Result<f64> {
        self.tell(&command).await?;
        self.answer().await
    }

    /// Whether its clients can be stopped and made anew over what they keep.
    pub fn can_stop(&self) -> bool {
        self.can_stop
    }

    pub fn usage(&self) -> Result<Usage> {
        usage_of(self.child.id().context("the rival ended")?)
    }
}

/// A Kabar with a client for its operator.
pub struct KabarContestant {
    pub kabar: Kabar,
    client: Client,
    pub devices: Vec<String>,
    _data: tempfile::TempDir,
}

/// How long callers waited for `sendMessage`.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub seconds: f64,
    pub p50: Duration,
    pub p99: Duration,
}

impl KabarContestant {
    pub async fn start(programs: &Path, network: &SandboxProcess, database: &str) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let environment = [
            ("KABAR_LISTEN", "127.0.0.1:0".to_owned()),
            ("KABAR_DATA_DIR", data.path().display().to_string()),
            ("KABAR_DATABASE_URL", database.to_owned()),
            ("KABAR_OPERATOR_EMAIL", EMAIL.to_owned()),
            ("KABAR_OPERATOR_PASSWORD", PASSWORD.to_owned()),
            ("KABAR_SANDBOX_URL", network.websocket.clone()),
            // As fast as the machine allows: the rivals do not stagger either.
            ("KABAR_ENGINE_RESTORE_PER_SECOND", "1000".to_owned()),
            ("KABAR_LOG", "warn".to_owned()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).into();
        let kabar = Kabar::start_program(programs.join("kabar"), environment).await?;
        let (client, _) = Client::new(kabar.base()).login(EMAIL, PASSWORD).await?;
        Ok(Self {
            kabar,
            client,
            devices: Vec::new(),
            _data: data,
        })
    }

    pub async fn link(&mut self, numbers: &[String], network: &SandboxProcess) -> Result<()> {
        let this = &*self;
        let linking = numbers.iter().map(|number| this.link_one(number, network));
        let devices: Vec<String> = stream::iter(linking).buffered(LINKING).try_collect().await?;
        self.devices.extend(devices);
        Ok(())
    }

    async fn link_one(&self, number: &str, network: &SandboxProcess) -> Result<String> {
        let create = "mutation($input: CreateDeviceInput!) { createDevice(input: $input) { device { id } userErrors { code message } } }";
        let payload = self
            .client
            .mutate(create, json!({ "input": { "name": number } }), "createDevice")
            .await?;
        let id = payload["device"]["id"].as_str().context("no id")?.to_owned();
        self.change("connectDevice", &id).await?;
        let qr = within(PATIENCE, "there is a QR code", || async {
            Ok(self.device(&id).await?["qr"]["text"].as_str().map(str::to_owned))
        })
        .await?;
        network.post("scan-qr", json!({ "number": number, "qr": qr })).await?;
        within(PATIENCE, "the device is connected", || async {
            Ok((self.device(&id).await?["status"] == "CONNECTED").then_some(()))
        })
        .await?;
        Ok(id)
    }

    async fn device(&self, id: &str) -> Result<Value> {
        let document = "query($id: ID!) { device(id: $id) { status qr { text } queue { waiting sending } } }";
        Ok(self.client.query(document, json!({ "id": id })).await?["device"].clone())
    }

    pub async fn change(&self, mutation: &str, id: &str) -> Result<()> {
        let document =
            format!("mutation($id: ID!) {{ {mutation}(id: $id) {{ device {{ id }} userErrors {{ code message }} }} }}");
        self.client.mutate(&document, json!({ "id": id }), mutation).await?;
        Ok(())
    }

    pub async fn until_connected(&self, count: usize) -> Result<()> {
        within(PATIENCE, "all devices are connected", || async {
            let data = self
                .client
                .query("{ overview { devices { connected } } }", json!({}))
                .await?;
            Ok((data["overview"]["devices"]["connected"].as_u64() >= Some(count as u64)).then_some(()))
        })
        .await
    }

    /// `sendMessage` for every text, over [`CONNECTIONS`] connections, each with one request under way.
    pub async fn accept(&self, from: usize, to: &[String], count: usize) -> Result<Accepted> {
        let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let began = Instant::now();
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (next, client) = (Arc::clone(&next), Client::new(self.client.base()));
                let client = client.with_token(self.client.token().unwrap_or_default());
                let (devices, to) = (self.devices[..from].to_vec(), to.to_vec());
                tokio::spawn(async move {
                    let mut times = Vec::new();
                    loop {
                        let text = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        if text >= count {
                            return anyhow::Ok(times);
                        }
                        let recipient = &to[(text / from + text) % to.len()];
                        let input = text_input(&devices[text % from], recipient, &format!("text {text}"));
                        let asked = Instant::now();
                        client.mutate(SEND, json!({ "input": input }), "sendMessage").await?;
                        times.push(asked.elapsed());
                    }
                })
            })
            .collect();
        let mut times = Vec::with_capacity(count);
        for worker in workers {
            times.extend(worker.await??);
        }
        let seconds = began.elapsed().as_secs_f64();
        times.sort_unstable();
        let at = |share: usize| {
            times
                .get((times.len() * share / 100).min(times.len().saturating_sub(1)))
                .copied()
        };
        Ok(Accepted {
            seconds,
            p50: at(50).unwrap_or_default(),
            p99: at(99).unwrap_or_default(),
        })
    }

    /// Waits until no text of these devices waits or is under way.
    pub async fn until_drained(&self, from: usize) -> Result<()> {
        for id in &self.devices[..from] {
            within(PATIENCE, "the outbox is empty", || async {
                let queue = self.device(id).await?["queue"].clone();
                Ok((queue["waiting"] == 0 && queue["sending"] == 0).then_some(()))
            })
            .await?;
        }
        let document = "{ messages(first: 1, where: { direction: OUT, status: [FAILED] }) { totalCount } }";
        let failed = self.client.query(document, json!({})).await?;
        if failed["messages"]["totalCount"] != 0 {
            bail!("texts failed: {failed}");
        }
        Ok(())
    }

    /// Subscribes to incoming messages; the handle yields the seconds between the first and the last of `count`.
    pub async fn listen(&self, count: usize) -> Result<tokio::task::JoinHandle<Result<f64>>> {
        // From a cursor: the first texts may come before the server has begun a subscription to what happens from now on.
        let log = self
            .client
            .query("{ events(last: 1) { pageInfo { endCursor } } }", json!({}))
            .await?;
        let document = "subscription($after: Cursor) { events(after: $after, types: [MESSAGE_RECEIVED]) { cursor
            ... on MessageReceivedEvent { message { id content { ... on TextContent { body } } } } } }";
        let after = json!({ "after": log["events"]["pageInfo"]["endCursor"] });
        let mut events = self.client.subscribe(document, after).await?;
        Ok(tokio::spawn(async move {
            let patience = Duration::from_mins(5);
            events.poll(patience).await?.context("no text came")?;
            let first = Instant::now();
            for _ in 1..count {
                events.poll(patience).await?.context("not all texts came")?;
            }
            Ok(first.elapsed().as_secs_f64())
        }))
    }
}
