//! The data directory.

use std::path::PathBuf;

use sandbox::{Behavior, Network, NetworkConfig, Reply, Target};

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
