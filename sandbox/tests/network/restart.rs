//! The data directory.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::sync::Arc;

use sandbox::{Behavior, Network, NetworkConfig, Reply, Target};
use serde_json::json;
use whatsapp_rust::http::UreqHttpClient;
use whatsapp_rust::wacore::net::{HttpClient as _, HttpRequest};
use whatsapp_rust::wacore::store::InMemoryBackend;
use whatsapp_rust::wacore::types::events::Event;

use crate::client::{TestClient, jid, ledger};

const ANI: &str = "+628120000001";
const BUDI: &str = "+628120000002";

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kabar-sandbox-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn start(directory: &Directory) -> Network {
    let config = NetworkConfig {
        data_dir: Some(directory.0.clone()),
        ..NetworkConfig::default()
    };
    Network::start(config).await.expect("a directory of its own")
}

#[tokio::test(flavor = "multi_thread")]
async fn links_sessions_and_waiting_messages_survive_a_restart() {
    let directory = Directory::new("restart");
    let network = start(&directory).await;
    let (client, _) = TestClient::linked(&network, ANI).await;
    let replies = Behavior {
        replies: Some(Reply::Text("yes".to_owned())),
        ..Behavior::default()
    };
    network.create_phone(BUDI, Some("Budi"), replies).unwrap();
    let group = network.create_group(BUDI, "kept", &[ANI.to_owned()]).await.unwrap();
    client.send(&jid(BUDI), "there?").await;
    client.text("yes").await;
    let backend = client.stop().await;
    network
        .send_text(BUDI, Target::Phone(ANI.to_owned()), "while you were out")
        .await
        .unwrap();
    network.shutdown().await;

    let network = start(&directory).await;
    let phone = network.phone(BUDI).unwrap();
    assert_eq!((phone.name.as_str(), phone.received_count), ("Budi", 1));
    assert_eq!(network.groups(ANI)[0].jid, group.jid);
    let client = TestClient::start(&network, backend, None).await;
    client.connected(1).await;
    client.text("while you were out").await;
    client.send(&jid(BUDI), "back again").await;
    let rows = ledger(&network, BUDI, 2).await;
    assert_eq!(rows[1].text.as_deref(), Some("back again"));
    assert_eq!(
        rows[1].times_on_wire, 1,
        "the session was kept: nothing had to be sent again"
    );
    network.shutdown().await;
}

/// The network as a process of its own, to be killed.
struct Program {
    process: std::process::Child,
    address: String,
}

impl Program {
    fn start(directory: &Directory, listen: &str) -> Self {
        let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_kabar-sandbox"))
            .args(["--listen", listen, "--data-dir"])
            .arg(&directory.0)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("the program was built with this test");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        std::io::BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it prints its address");
        let (_, rest) = line.split_once("ws://").expect("the address is a websocket's");
        let (address, _) = rest.split_once('/').expect("the address has a path");
        Self {
            process,
            address: address.to_owned(),
        }
    }

    async fn control(&self, method: &str, path: &str, body: &serde_json::Value) -> serde_json::Value {
        let request = HttpRequest {
            url: format!("http://{}/control/{path}", self.address),
            method: method.to_owned(),
            headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
            body: (method == "POST").then(|| body.to_string().into()),
        };
        let answer = UreqHttpClient::new()
            .execute(request)
            .await
            .expect("the program answers");
        assert_eq!(answer.status_code, 200, "{}", String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).expect("answers are JSON")
    }
}

/// `kill -9`; also when a test fails, or the program would keep the test's output open.
impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_network_keeps_links_and_sessions() {
    let directory = Directory::new("kill");
    let program = Program::start(&directory, "127.0.0.1:0");
    let address = program.address.clone();
    let client = TestClient::connect(&address, Arc::new(InMemoryBackend::new()), None).await;
    let qr = client
        .wait(|event| match event {
            Event::PairingQrCode(qr) => Some(qr.code.clone()),
            _ => None,
        })
        .await;
    program
        .control("POST", "scan-qr", &json!({"number": ANI, "qr": qr}))
        .await;
    client.connected(1).await;
    let echo = json!({"number": BUDI, "behavior": {"replies": "echo"}});
    program.control("POST", "phones", &echo).await;
    client.send(&jid(BUDI), "before the kill").await;
    client.text("before the kill").await;
    drop(program);

    let program = Program::start(&directory, &address);
    client.connected(2).await;
    client.send(&jid(BUDI), "after the kill").await;
    client.text("after the kill").await;
    let path = format!("received?number={}", BUDI.trim_start_matches('+'));
    let rows = program.control("GET", &path, &json!(null)).await;
    assert_eq!(
        rows.as_array().expect("a list").last().expect("a row")["text"],
        "after the kill"
    );
}
