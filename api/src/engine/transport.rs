//! Dials WhatsApp (or the sandbox) and carries bytes.
//!
//! Our own instead of the library's because its transport leaves Nagle's algorithm on, which stalls small frames by
//! 40 ms, because a connection must be cut from outside when it has gone deaf, and because reading must pause when the
//! dispatcher is behind.
//!
//! **Invariant:** nothing is read from the network while a device's event queue is nearly full, so no event is dropped.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{net::TcpStream, sync::watch};
use tokio_websockets::{ClientBuilder, CloseCode, Connector, MaybeTlsStream, Message, WebSocketStream};
use wacore::net::{DisconnectReason, Transport, TransportEvent, TransportFactory, WHATSAPP_WEB_ORIGIN};

#[cfg(not(feature = "sandbox"))]
use wacore::net::WHATSAPP_WEB_WS_URL;

use super::{Endpoint, listener::QueueWatch};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Frames that may wait between the network and the library.
const FRAMES: usize = 16;
/// How often a paused reader looks whether it may go on.
const PAUSE: Duration = Duration::from_millis(5);

/// What all devices share for dialling: the certificates are loaded once.
#[derive(Clone)]
pub(super) struct Dialling {
    url: Arc<str>,
    connector: Arc<Connector>,
}

impl Dialling {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        match endpoint {
            #[cfg(not(feature = "sandbox"))]
            Endpoint::Live => Self {
                url: WHATSAPP_WEB_WS_URL.into(),
                connector: Arc::new(whatsapp_rust::transport::default_tls_connector()),
            },
            // `EngineConfig::check` has refused it.
            #[cfg(feature = "sandbox")]
            Endpoint::Live => Self {
                url: "".into(),
                connector: Arc::new(Connector::Plain),
            },
            #[cfg(feature = "sandbox")]
            Endpoint::Sandbox { url, .. } => Self {
                url: url.as_str().into(),
                connector: Arc::new(Connector::Plain),
            },
        }
    }
}

/// Dials for one device and can cut what it dialled.
pub(super) struct Dialer {
    dialling: Dialling,
    queue: QueueWatch,
    current: Mutex<Option<watch::Sender<bool>>>,
    failure: Mutex<Option<String>>,
}

impl Dialer {
    pub(super) fn new(dialling: Dialling, queue: QueueWatch) -> Self {
        Self {
            dialling,
            queue,
            current: Mutex::new(None),
            failure: Mutex::new(None),
        }
    }

    /// Ends the connection without a word to the other side: the library sees it as lost.
    pub(super) fn cut(&self) {
        if let Some(current) = self.current.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // The pump may have ended by itself.
            let _ = current.send(true);
        }
    }

    /// Why the last dial failed, once.
    pub(super) fn take_failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn dial(&self) -> anyhow::Result<Socket> {
        let uri: http::Uri = self.dialling.url.parse()?;
        let host = uri.host().ok_or_else(|| anyhow::anyhow!("the address has no host"))?;
        let secure = uri.scheme_str() == Some("wss");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
        stream.set_nodelay(true)?;
        let stream = if secure {
            self.dialling.connector.wrap(host, stream).await?
        } else {
            MaybeTlsStream::Plain(stream)
        };
        let origin = http::HeaderValue::from_static(WHATSAPP_WEB_ORIGIN);
        let (socket, _) = ClientBuilder::from_uri(uri)
            .add_header(http::header::ORIGIN, origin)?
            .connect_on(stream)
            .await?;
        Ok(socket)
    }
}

#[async_trait]
impl TransportFactory for Dialer {
    async fn create_transport(&self) -> anyhow::Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>)> {
        let socket = match self.dial().await {
            Ok(socket) => socket,
            Err(error) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                return Err(error);
            }
        };
        let (sink, stream) = socket.split();
        let (events, receiver) = async_channel::bounded(FRAMES);
        let (end, ended) = watch::channel(false);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(end.clone());
        // The channel is empty and open.
        let _ = events.try_send(TransportEvent::Connected);
        tokio::spawn(read(stream, events, ended, self.queue.clone()));
        Ok((
            Arc::new(Connection {
                sink: tokio::sync::Mutex::new(Some(sink)),
                end,
            }),
            receiver,
        ))
    }
}

struct Connection {
    sink: tokio::sync::Mutex<Option<SplitSink<Socket, Message>>>,
    end: watch::Sender<bool>,
}

#[async_trait]
impl Transport for Connection {
    async fn send(&self, data: Bytes) -> anyhow::Result<()> {
        // Writers must take turns on the socket: this is the one lock that is held over I/O.
        let mut sink = self.sink.lock().await;
        let sink = sink
            .as_mut()
            .ok_or_else(|| anyhow::anyhow!("the connection is closed"))?;
        sink.send(Message::binary(data)).await?;
        Ok(())
    }

    async fn disconnect(&self) {
        let _ = self.end.send(true);
        // A writer that is stuck on a dead connection keeps the sink; the socket is closed with it.
        let Ok(mut sink) = tokio::time::timeout(Duration::from_secs(1), self.sink.lock()).await else {
            return;
        };
        if let Some(mut sink) = sink.take() {
            let goodbye = sink.send(Message::close(Some(CloseCode::NORMAL_CLOSURE), ""));
            let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
        }
    }
}

async fn read(
    mut stream: SplitStream<Socket>,
    events: async_channel::Sender<TransportEvent>,
    mut ended: watch::Receiver<bool>,
    queue: QueueWatch,
) {
    let mut reason = DisconnectReason::Unknown;
    loop {
        while queue.is_nearly_full() && !*ended.borrow() {
            tokio::time::sleep(PAUSE).await;
        }
        let frame = tokio::select! {
            biased;
            _ = ended.changed() => break,
            frame = stream.next() => frame,
        };
        match frame {
            Some(Ok(message)) if message.is_binary() => {
                let data = TransportEvent::DataReceived(message.into_payload().into());
                tokio::select! {
                    biased;
                    _ = ended.changed() => break,
                    sent = events.send(data) => if sent.is_err() { break },
                }
            }
            Some(Ok(message)) if message.is_close() => {
                let (code, text) = message
                    .as_close()
                    .map_or((None, ""), |(code, text)| (Some(code.into()), text));
                reason = DisconnectReason::ServerClose {
                    code,
                    reason: text.to_owned(),
                };
                break;
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                reason = DisconnectReason::ReadError(error.to_string());
                break;
            }
            None => {
                reason = DisconnectReason::StreamEnded;
                break;
            }
        }
    }
    // The library may have stopped listening.
    let _ = events.send(TransportEvent::Disconnected(reason)).await;
}
