//! A whatsapp-rust client whose events a test can wait for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sandbox::{LinkedDevice, Network, NetworkConfig, Received};
use tokio::sync::Notify;
use whatsapp_rust::buffa::Message as _;
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::prelude::*;
use whatsapp_rust::wacore::net::{HttpClient, HttpRequest, HttpResponse, StreamingHttpResponse, UploadBody};
use whatsapp_rust::wacore::store::InMemoryBackend;
use whatsapp_rust::wacore::types::events::{Event, Receipt, ServerAck};
use whatsapp_rust::wacore::types::presence::ReceiptType;

/// Everything on one machine and in memory: what has not happened after this will not.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct TestClient {
    pub client: Arc<Client>,
    pub backend: Arc<InMemoryBackend>,
    handle: Option<whatsapp_rust::bot::BotHandle>,
    events: Arc<Events>,
}

#[derive(Default)]
struct Events {
    seen: Mutex<Vec<Arc<Event>>>,
    more: Notify,
}

/// Media URLs are always https; the network's media host is not.
struct PlainHttp {
    inner: whatsapp_rust::http::UreqHttpClient,
    host: String,
}

impl PlainHttp {
    fn rewritten(&self, mut request: HttpRequest) -> HttpRequest {
        request.url = request
            .url
            .replacen(&format!("https://{}", self.host), &format!("http://{}", self.host), 1);
        request
    }
}

#[whatsapp_rust::async_trait]
impl HttpClient for PlainHttp {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        self.inner.execute(self.rewritten(request)).await
    }

    fn supports_streaming(&self) -> bool {
        self.inner.supports_streaming()
    }

    fn execute_streaming(&self, request: HttpRequest) -> anyhow::Result<StreamingHttpResponse> {
        self.inner.execute_streaming(self.rewritten(request))
    }

    fn supports_upload_streaming(&self) -> bool {
        self.inner.supports_upload_streaming()
    }

    fn execute_upload(&self, request: HttpRequest, body: UploadBody, length: u64) -> anyhow::Result<HttpResponse> {
        self.inner.execute_upload(self.rewritten(request), body, length)
    }
}

/// `RUST_LOG` shows what clients and network do.
fn show_logs() {
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_test_writer()
        .try_init();
}

pub async fn network() -> Network {
    Network::start(NetworkConfig::default())
        .await
        .expect("a free port on loopback")
}

pub fn jid(number: &str) -> Jid {
    Jid::pn(number.trim_start_matches('+'))
}

impl TestClient {
    /// Connects with what `backend` holds.
    pub async fn start(network: &Network, backend: Arc<InMemoryBackend>, code: Option<PairCodeOptions>) -> Self {
        Self::connect(&network.address().to_string(), backend, code).await
    }

    /// Connects to a network at an address.
    pub async fn connect(address: &str, backend: Arc<InMemoryBackend>, code: Option<PairCodeOptions>) -> Self {
        show_logs();
        let events = Arc::new(Events::default());
        let sink = Arc::clone(&events);
        let mut builder = Bot::builder()
            .with_backend_arc(Arc::clone(&backend) as Arc<_>)
            .with_transport_factory(
                whatsapp_rust::transport::TokioWebSocketTransportFactory::new()
                    .with_url(format!("ws://{address}/ws/chat")),
            )
            .with_http_client(PlainHttp {
                inner: whatsapp_rust::http::UreqHttpClient::new(),
                host: address.to_owned(),
            })
            .with_version((2, 3000, 1_023_000_000))
            .with_wanted_pre_key_count(30)
            .on_event(move |event, _| {
                let sink = Arc::clone(&sink);
                async move {
                    sink.seen.lock().expect("no test panics while holding it").push(event);
                    sink.more.notify_waiters();
                }
            });
        if let Some(options) = code {
            builder = builder.with_pair_code(options);
        }
        let bot = builder.build().await.expect("a complete configuration");
        let client = bot.client();
        let handle = bot.spawn();
        Self {
            client,
            backend,
            handle: Some(handle),
            events,
        }
    }

    /// A new client, linked to `number` by QR code and connected.
    pub async fn linked(network: &Network, number: &str) -> (Self, LinkedDevice) {
        let client = Self::start(network, Arc::new(InMemoryBackend::new()), None).await;
        let qr = client
            .wait(|event| match event {
                Event::PairingQrCode(qr) => Some(qr.code.clone()),
                _ => None,
            })
            .await;
        let device = network.scan_qr(number, &qr).await.expect("the phone scans");
        client.connected(1).await;
        client.client.set_force_active_delivery_receipts(true);
        (client, device)
    }

    /// Waits for the `count`-th `Connected`.
    pub async fn connected(&self, count: usize) {
        let connections = |events: &[Arc<Event>]| {
            (events
                .iter()
                .filter(|event| matches!(***event, Event::Connected(_)))
                .count()
                >= count)
                .then_some(())
        };
        self.wait_all(connections).await;
    }

    /// Waits for an event, the past ones included.
    pub async fn wait<T>(&self, matching: impl Fn(&Event) -> Option<T>) -> T {
        self.wait_all(|events| events.iter().find_map(|event| matching(event)))
            .await
    }

    async fn wait_all<T>(&self, matching: impl Fn(&[Arc<Event>]) -> Option<T>) -> T {
        let found = async {
            loop {
                let more = self.events.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                if let Some(found) = matching(&self.events.seen.lock().expect("no test panics while holding it")) {
                    return found;
                }
                more.await;
            }
        };
        let outcome = tokio::time::timeout(PATIENCE, found).await;
        outcome.unwrap_or_else(|_| {
            let seen = self.events.seen.lock().expect("no test panics while holding it");
            panic!("the event did not come; what came: {seen:#?}")
        })
    }

    /// How many events match so far.
    pub fn count(&self, matching: impl Fn(&Event) -> bool) -> usize {
        let seen = self.events.seen.lock().expect("no test panics while holding it");
        seen.iter().filter(|event| matching(event)).count()
    }

    /// The incoming text `text`: its id, chat and sender.
    pub async fn text(&self, text: &str) -> (String, Jid, Jid) {
        self.wait(|event| match event {
            Event::Messages(batch) => batch.messages.iter().find_map(|inbound| {
                let found = text_of(&inbound.message)?;
                let source = &inbound.info.source;
                (found == text).then(|| (inbound.info.id.clone(), source.chat.clone(), source.sender.clone()))
            }),
            _ => None,
        })
        .await
    }

    /// Waits for a history whose conversations (chat and texts, newest first) match.
    pub async fn history<T>(&self, matching: impl Fn(&[(String, Vec<String>)]) -> Option<T>) -> T {
        self.wait(|event| match event {
            Event::HistorySync(history) => {
                let bytes = history.decompress().ok()?;
                let conversations: Vec<(String, Vec<String>)> = wa::HistorySync::decode_from_slice(&bytes)
                    .ok()?
                    .conversations
                    .iter()
                    .map(|conversation| {
                        let texts = conversation.messages.iter().filter_map(|entry| {
                            let message = entry.message.as_option()?.message.as_option()?;
                            text_of(message).map(ToOwned::to_owned)
                        });
                        (conversation.id.clone(), texts.collect())
                    })
                    .collect();
                matching(&conversations)
            }
            _ => None,
        })
        .await
    }

    pub async fn ack(&self, id: &str) -> ServerAck {
        self.wait(|event| match event {
            Event::ServerAck(ack) if ack.id == id && ack.class.as_deref() == Some("message") => Some(ack.clone()),
            _ => None,
        })
        .await
    }

    pub async fn receipt(&self, id: &str, kind: ReceiptType) -> Receipt {
        self.wait(|event| match event {
            Event::Receipt(receipt)
                if receipt.r#type == kind && receipt.message_ids.iter().any(|other| other == id) =>
            {
                Some(receipt.clone())
            }
            _ => None,
        })
        .await
    }

    pub async fn send(&self, to: &Jid, text: &str) -> String {
        let sent = self.client.send_text(to, text).await.expect("connected");
        sent.message_id
    }

    /// Stops the client and keeps its store.
    pub async fn stop(mut self) -> Arc<InMemoryBackend> {
        if let Some(handle) = self.handle.take() {
            handle.shutdown().await;
        }
        Arc::clone(&self.backend)
    }
}

/// Text messages come as `conversation` or as `extendedTextMessage`.
pub fn text_of(message: &whatsapp_rust::waproto::whatsapp::Message) -> Option<&str> {
    message.conversation.as_deref().or_else(|| {
        message
            .extended_text_message
            .as_option()
            .and_then(|extended| extended.text.as_deref())
    })
}

/// Waits until a phone's ledger has `count` rows.
pub async fn ledger(network: &Network, number: &str, count: usize) -> Vec<Received> {
    until(|| {
        let rows = network.received(number, None, 10_000).expect("the phone exists");
        (rows.len() >= count).then_some(rows)
    })
    .await
}

/// Polls what the network shows.
pub async fn until<T>(mut probe: impl FnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = probe() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("it happens in time")
}
