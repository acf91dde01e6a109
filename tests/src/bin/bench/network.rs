//! The sandbox as a process, and its control API.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How many control requests are under way at the same time.
const CONCURRENT: usize = 16;

pub struct SandboxProcess {
    pub websocket: String,
    pub control: String,
    http: reqwest::Client,
    _child: Child,
}

impl SandboxProcess {
    pub async fn start(programs: &Path) -> Result<Self> {
        let mut command = Command::new(programs.join("kabar-sandbox"));
        command
            .args(["--listen", "127.0.0.1:0"])
            .env("RUST_LOG", "error")
            .kill_on_drop(true);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start kabar-sandbox")?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let (mut websocket, mut control) = (None, None);
        while control.is_none() {
            let line = lines.next_line().await?.context("kabar-sandbox ended")?;
            match line.split_once(char::is_whitespace) {
                Some(("websocket", url)) => websocket = Some(url.trim().to_owned()),
                Some(("control", url)) => {
                    control = Some(url.trim().trim_end_matches('/').trim_end_matches("/control").to_owned());
                }
                _ => {}
            }
        }
        let websocket = websocket.context("kabar-sandbox told no address")?;
        let control = control.context("kabar-sandbox told no control address")?;
        Ok(Self {
            websocket,
            control,
            http: reqwest::Client::new(),
            _child: child,
        })
    }

    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        let response = self
            .http
            .post(format!("{}/control/{path}", self.control))
            .json(&body)
            .send()
            .await?;
        let status = response.status();
        let answer: Value = response.json().await?;
        if !status.is_success() {
            bail!("{path} with {body}: {answer}");
        }
        Ok(answer)
    }

    pub async fn messages(&self) -> Result<u64> {
        self.messages_from(0).await
    }

    /// The same once there are at least `wanted`: nobody asks meanwhile.
    pub async fn messages_from(&self, wanted: u64) -> Result<u64> {
        let stats: Value = self
            .http
            .get(format!("{}/control/stats?messages={wanted}", self.control))
            .send()
            .await?
            .json()
            .await?;
        stats["messages"].as_u64().context("no count of messages")
    }

    pub async fn create_phones(&self, numbers: &[String]) -> Result<()> {
        self.each(numbers, |number| ("phones", json!({ "number": number })))
            .await
    }

    pub async fn drop_sockets(&self, numbers: &[String]) -> Result<()> {
        self.each(numbers, |number| {
            ("disrupt", json!({ "number": number, "disruption": "dropSocket" }))
        })
        .await
    }

    /// Refuses the connections of these accounts' devices, or takes them again.
    pub async fn refuse(&self, numbers: &[String], refuse: bool) -> Result<()> {
        self.each(numbers, |number| {
            (
                "disrupt",
                json!({ "number": number, "disruption": { "refuse": { "connections": refuse } } }),
            )
        })
        .await
    }

    /// Phones write `count` texts to these accounts: each to each, in turn.
    pub async fn write(&self, from: &[String], to: &[String], count: usize) -> Result<()> {
        let pairs: Vec<(String, String, usize)> = (0..count)
            .map(|text| {
                (
                    from[(text / to.len()) % from.len()].clone(),
                    to[text % to.len()].clone(),
                    text,
                )
            })
            .collect();
        self.each(&pairs, |(from, to, text)| {
            (
                "send",
                json!({ "from": from, "to": { "phone": to }, "text": format!("text {text}") }),
            )
        })
        .await
    }

    /// All phones write to all of these accounts at the same time, until each has written to each `times`: the sandbox makes
    /// the texts while they are taken.
    pub async fn flood(&self, from: &[String], to: &[String], times: usize) -> Result<()> {
        let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (from, to)));
        let floods = pairs.map(|(from, to)| {
            let body = json!({ "from": from, "to": { "phone": to }, "text": "a text", "times": times });
            self.post("send", body)
        });
        try_join_all(floods).await.map(drop)
    }

    async fn each<T>(&self, items: &[T], request: impl Fn(&T) -> (&'static str, Value)) -> Result<()> {
        let requests: Vec<_> = items.iter().map(request).collect();
        stream::iter(requests.into_iter().map(|(path, body)| self.post(path, body)))
            .buffer_unordered(CONCURRENT)
            .try_for_each(|_| async { Ok(()) })
            .await
    }
}
