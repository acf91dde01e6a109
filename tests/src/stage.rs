//! Everything a test needs at once: a simulated network, a server on a fresh database, and its operator's client.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use sandbox::{Behavior, Network, NetworkConfig, Target};
use serde_json::{Value, json};

use crate::client::Client;
use crate::database::{Kind, TestDatabase};
use crate::process::Kabar;
use crate::wait::{DEADLINE, eventually, within};

pub const EMAIL: &str = "operator@kabar.test";
pub const PASSWORD: &str = "correct horse battery staple";

/// Deviations from the usual stage.
#[derive(Debug, Default)]
pub struct StageOptions {
    /// Environment variables of the server.
    pub environment: Vec<(&'static str, String)>,
    /// Let the network keep its state on disk, so that it can be restarted.
    pub lasting_network: bool,
}

/// A network, a server, and a client that is logged in as the operator.
#[derive(Debug)]
pub struct Stage {
    pub network: Network,
    pub kabar: Kabar,
    pub client: Client,
    pub database: TestDatabase,
    network_address: SocketAddr,
    network_folder: Option<tempfile::TempDir>,
    _data: tempfile::TempDir,
}

/// A device of Kabar that is linked to a simulated phone.
#[derive(Clone, Debug)]
pub struct LinkedDevice {
    pub id: String,
    pub number: String,
}

impl Stage {
    pub async fn new(database: TestDatabase) -> Result<Self> {
        Self::with(database, StageOptions::default()).await
    }

    pub async fn with(database: TestDatabase, options: StageOptions) -> Result<Self> {
        let network_folder = options.lasting_network.then(tempfile::tempdir).transpose()?;
        let data_dir = network_folder.as_ref().map(|folder| folder.path().to_path_buf());
        let network = Network::start(NetworkConfig {
            data_dir,
            ..NetworkConfig::default()
        })
        .await?;
        let data = tempfile::Builder::new().prefix("kabar-data-").tempdir()?;
        let mut environment: Vec<(String, String)> = [
            ("KABAR_LISTEN", "127.0.0.1:0".to_owned()),
            ("KABAR_DATA_DIR", data.path().display().to_string()),
            ("KABAR_DATABASE_URL", database.url()),
            ("KABAR_OPERATOR_EMAIL", EMAIL.to_owned()),
            ("KABAR_OPERATOR_PASSWORD", PASSWORD.to_owned()),
            ("KABAR_SANDBOX_URL", network.url()),
            ("KABAR_RATE_LIMITS_ANONYMOUS_REQUESTS", "100000".to_owned()),
            // Restarts are what many tests are about; they need not be gentle to a network of our own.
            ("KABAR_ENGINE_RECONNECT_MIN_MS", "50".to_owned()),
            ("KABAR_ENGINE_RECONNECT_MAX_MS", "1000".to_owned()),
            ("KABAR_LOG", "info,api=debug,api::http::access=info".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        environment.retain(|(name, _)| !options.environment.iter().any(|(other, _)| other == name));
        environment.extend(
            options
                .environment
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        let kabar = Kabar::start(environment).await?;
        let (client, _) = Client::new(kabar.base()).login(EMAIL, PASSWORD).await?;
        let network_address = network.address();
        Ok(Self {
            network,
            kabar,
            client,
            database,
            network_address,
            network_folder,
            _data: data,
        })
    }

    pub fn kind(&self) -> Kind {
        self.database.kind()
    }

    /// Logs the client in again, for example after its token expired.
    pub async fn log_in_again(&mut self) -> Result<()> {
        (self.client, _) = Client::new(self.kabar.base()).login(EMAIL, PASSWORD).await?;
        Ok(())
    }

    /// A simulated phone with a number of the form +6281200000NNN.
    pub fn phone(&self, number: &str) -> Result<sandbox::Phone> {
        Ok(self.network.create_phone(number, None, Behavior::default())?)
    }

    pub fn phone_that(&self, number: &str, behavior: Behavior) -> Result<sandbox::Phone> {
        Ok(self.network.create_phone(number, None, behavior)?)
    }

    /// Stops the network and starts it again at the same address with what it kept on disk.
    pub async fn restart_network(&mut self) -> Result<()> {
        self.stop_network().await;
        self.start_network().await
    }

    pub async fn stop_network(&self) {
        self.network.shutdown().await;
    }

    pub async fn start_network(&mut self) -> Result<()> {
        let folder = self
            .network_folder
            .as_ref()
            .context("this stage's network keeps nothing")?;
        let config = NetworkConfig {
            listen: self.network_address,
            data_dir: Some(folder.path().to_path_buf()),
        };
        // The port may be busy for a moment after the listener is closed.
        self.network = eventually("the network can listen again", || async {
            Ok(Network::start(config.clone()).await.ok())
        })
        .await?;
        Ok(())
    }

    pub async fn create_device(&self, name: &str) -> Result<String> {
        let document = "mutation($input: CreateDeviceInput!) { createDevice(input: $input) { device { id } userErrors { code message field } } }";
        let payload = self
            .client
            .mutate(document, json!({ "input": { "name": name } }), "createDevice")
            .await?;
        Ok(payload["device"]["id"].as_str().context("no id")?.to_owned())
    }

    pub async fn connect_device(&self, id: &str) -> Result<()> {
        let document = "mutation($id: ID!) { connectDevice(id: $id) { device { id } userErrors { code message } } }";
        self.client
            .mutate(document, json!({ "id": id }), "connectDevice")
            .await?;
        Ok(())
    }

    /// A new device, linked by QR code to a new phone of this number, and connected.
    pub async fn linked_device(&self, number: &str) -> Result<LinkedDevice> {
        self.phone(number)?;
        self.link(number).await
    }

    /// A new device, linked by QR code to a phone that exists, and connected.
    pub async fn link(&self, number: &str) -> Result<LinkedDevice> {
        let id = self.create_device(&format!("Device of {number}")).await?;
        self.connect_device(&id).await?;
        let qr = self.qr(&id).await?;
        self.network.scan_qr(number, &qr).await?;
        self.until_status(&id, "CONNECTED").await?;
        Ok(LinkedDevice {
            id,
            number: number.to_owned(),
        })
    }

    /// The QR code's text, as soon as there is one.
    pub async fn qr(&self, id: &str) -> Result<String> {
        eventually("the device shows a QR code", || async {
            let device = self.device(id).await?;
            Ok(device["qr"]["text"].as_str().map(str::to_owned))
        })
        .await
    }

    pub async fn device(&self, id: &str) -> Result<Value> {
        let document = "query($id: ID!) { device(id: $id) {
            id status statusReason phoneNumber pushName jid platform connectionAttempts
            qr { text } pairingCode { code } queue { waiting sending } } }";
        Ok(self.client.query(document, json!({ "id": id })).await?["device"].clone())
    }

    pub async fn until_status(&self, id: &str, status: &str) -> Result<Value> {
        let what = format!("device {id} is {status}");
        within(Duration::from_mins(1), &what, || async {
            let device = self.device(id).await?;
            Ok((device["status"] == status).then_some(device))
        })
        .await
    }

    /// Accepts a text for sending; returns the message's id.
    pub async fn send_text(&self, device: &str, to: &str, text: &str) -> Result<String> {
        let payload = self
            .client
            .mutate(SEND, json!({ "input": text_input(device, to, text) }), "sendMessage")
            .await?;
        Ok(payload["message"]["id"].as_str().context("no id")?.to_owned())
    }

    /// Brings the session between a device and a phone that was written to past its first messages, whose key exchange
    /// the phone could read again after it lost its sessions: the phone answers, and is answered.
    pub async fn settle_session(&self, device: &LinkedDevice, phone: &str) -> Result<()> {
        let incoming = "{ messages(where: { direction: IN }) { totalCount } }";
        let count = || async {
            let found = self.client.query(incoming, json!({})).await?;
            found["messages"]["totalCount"].as_i64().context("no count")
        };
        let before = count().await?;
        let to = Target::Phone(device.number.clone());
        self.network.send_text(phone, to, "hm").await?;
        eventually("the answer is stored", || async {
            Ok((count().await? > before).then_some(()))
        })
        .await?;
        let id = self.send_text(&device.id, phone, "baik").await?;
        self.until_message(&id, "DELIVERED").await.map(|_| ())
    }

    pub async fn message(&self, id: &str) -> Result<Value> {
        let document = "query($id: ID!) { node(id: $id) { ... on Message {
            id whatsappId status direction attempts error { code message whatsappCode } statusHistory { status at }
            content { ... on TextContent { body } } receipts { status party { jid phoneNumber } } } } }";
        Ok(self.client.query(document, json!({ "id": id })).await?["node"].clone())
    }

    pub async fn until_message(&self, id: &str, status: &str) -> Result<Value> {
        self.until_message_within(DEADLINE, id, status).await
    }

    /// As [`Stage::until_message`], of the message that a mutation answered.
    pub async fn until_delivered(&self, message: &Value) -> Result<()> {
        let id = message["id"].as_str().context("no message")?;
        self.until_message(id, "DELIVERED").await.map(|_| ())
    }

    pub async fn until_message_within(&self, deadline: Duration, id: &str, status: &str) -> Result<Value> {
        within(deadline, &format!("message {id} is {status}"), || async {
            let message = self.message(id).await?;
            Ok((message["status"] == status).then_some(message))
        })
        .await
    }
}

pub const SEND: &str = "mutation($input: SendMessageInput!) { sendMessage(input: $input) {
    message { id status whatsappId } userErrors { code message field } } }";

pub fn text_input(device: &str, to: &str, text: &str) -> Value {
    json!({ "deviceId": device, "to": { "phone": to }, "content": { "text": { "body": text } } })
}
