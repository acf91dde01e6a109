//! One client's connection: websocket, handshake, frames in and out.
//!
//! A reader decodes frames and hands stanzas to [`crate::handlers`], which never wait; a writer
//! sends what was queued, many stanzas in one websocket message when there are many.
//!
//! Queues: answers to a client are bounded by making its reader wait ([`ANSWERS_PENDING`]); what
//! others send it is bounded by closing a connection that does not read ([`QUEUE_LIMIT`]), which
//! loses nothing because stanzas stay in the device's mailbox until acknowledged.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use bytes::{Buf, Bytes, BytesMut};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use wacore_binary::Node;
use wacore_noise::NoiseCipher;
use wacore_noise::framing::{FrameDecoder, encode_frame};

use crate::account::{Account, Device, lock};
use crate::core::Core;
use crate::handlers;
use crate::noise::{AfterHello, Established, HandshakeFailure};

/// A reader waits while more of its answers than this are unsent.
const ANSWERS_PENDING: usize = 4_096;
/// A connection with more unsent stanzas than this is closed.
const QUEUE_LIMIT: usize = 400_000;
/// How long a client may take for its part of the handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(20);
/// Baileys 6.7 decrypts the first frame with keys it has not installed yet when the frame comes
/// together with the handshake's end.
const PAUSE_AFTER_HANDSHAKE: Duration = Duration::from_millis(50);
/// How long a client that was told to go may take to close the connection itself.
const PAUSE_BEFORE_CLOSING: Duration = Duration::from_secs(2);
/// Bytes of frames put into one websocket message.
const BATCH_BYTES: usize = 64 * 1024;

/// Connections are numbered, so that one can be told from its successor.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Who is at the other end.
#[derive(Clone)]
pub enum Peer {
    /// A client that shows a QR code or asks for a pairing code.
    Unlinked,
    /// A linked device that proved its key.
    Device { account: Arc<Account>, device: Arc<Device> },
}

#[derive(Default)]
struct Queue {
    stanzas: VecDeque<Arc<Node>>,
    /// No more will come: send what is there and close.
    closing: bool,
}

pub struct Connection {
    pub number: u64,
    pub peer: Mutex<Peer>,
    /// The client's Noise static key.
    pub client_static: [u8; 32],
    /// What an unlinked client registers with; empty for a login.
    pub registration: Option<handlers::login::Registration>,
    queue: Mutex<Queue>,
    queued: Notify,
    drained: Notify,
    active: AtomicBool,
    frozen: AtomicBool,
    cut: CancellationToken,
}

impl Connection {
    /// Queues a stanza.
    pub fn send(&self, stanza: Node) {
        self.send_shared(Arc::new(stanza));
    }

    /// Queues a stanza that others keep as well.
    pub fn send_shared(&self, stanza: Arc<Node>) {
        let mut queue = lock(&self.queue);
        if queue.closing || self.cut.is_cancelled() {
            return;
        }
        queue.stanzas.push_back(stanza);
        let excess = queue.stanzas.len() > QUEUE_LIMIT;
        drop(queue);
        self.queued.notify_one();
        if excess {
            tracing::warn!("a client does not read; its connection is closed");
            self.cut();
        }
    }

    /// Sends what is queued, then closes.
    pub fn close(&self) {
        lock(&self.queue).closing = true;
        self.queued.notify_one();
    }

    /// Drops the socket as a broken network does: nothing queued is sent.
    pub fn cut(&self) {
        self.cut.cancel();
    }

    /// The connection stays open and deaf.
    pub fn freeze(&self) {
        self.frozen.store(true, Ordering::Release);
    }

    /// Whether the device asked for live stanzas (`<iq xmlns="passive"><active/>`).
    pub fn is_active(&self) -> bool {
        self.active.load(Ordering::Acquire)
    }

    pub fn set_active(&self, active: bool) {
        self.active.store(active, Ordering::Release);
    }

    pub fn peer(&self) -> Peer {
        lock(&self.peer).clone()
    }

    /// Moves what is queued to the end of `batch`; `true` when no more will come.
    fn take_queued(&self, batch: &mut Vec<Arc<Node>>) -> bool {
        let mut queue = lock(&self.queue);
        batch.extend(queue.stanzas.drain(..));
        queue.closing
    }

    async fn room(&self) {
        loop {
            let drained = self.drained.notified();
            if lock(&self.queue).stanzas.len() < ANSWERS_PENDING {
                return;
            }
            tokio::select! {
                () = drained => {}
                () = self.cut.cancelled() => return,
            }
        }
    }
}

/// Serves one websocket until it ends.
pub async fn serve(core: Arc<Core>, mut socket: WebSocket) {
    let stop = core.stop.clone();
    let handshake = tokio::time::timeout(HANDSHAKE_LIMIT, shake_hands(&core, &mut socket));
    let (established, decoder) = tokio::select! {
        () = stop.cancelled() => return,
        outcome = handshake => match outcome {
            Ok(Ok(done)) => done,
            Ok(Err(failure)) => {
                tracing::debug!(%failure, "a handshake failed");
                return;
            }
            Err(_) => {
                tracing::debug!("a client did not finish its handshake");
                return;
            }
        },
    };
    let Established {
        write,
        read,
        client_static,
        payload,
        resumed,
    } = established;
    if !resumed {
        tokio::time::sleep(PAUSE_AFTER_HANDSHAKE).await;
    }

    let connection = Arc::new(Connection {
        number: NEXT.fetch_add(1, Ordering::Relaxed),
        peer: Mutex::new(Peer::Unlinked),
        client_static,
        registration: handlers::login::Registration::of(&payload),
        queue: Mutex::default(),
        queued: Notify::new(),
        drained: Notify::new(),
        active: AtomicBool::new(false),
        frozen: AtomicBool::new(false),
        cut: core.stop.child_token(),
    });
    core.counters.connections.fetch_add(1, Ordering::Relaxed);

    let (sink, stream) = socket.split();
    let writer = tokio::spawn(write_frames(Arc::clone(&core), Arc::clone(&connection), sink, write));
    handlers::login::greet(&core, &connection, &payload);
    read_frames(&core, &connection, stream, read, decoder).await;

    // The client is gone or the connection was cut: there is nobody to write to.
    connection.cut();
    if let Err(failure) = writer.await {
        tracing::error!(%failure, "a connection's writer failed");
    }
    handlers::login::farewell(&core, &connection);
    core.counters.connections.fetch_sub(1, Ordering::Relaxed);
}

/// The header (`WA`, version, dictionary), with or without the edge-routing prelude
/// (`ED 00 01`, three bytes of length, routing), then two or three frames.
async fn shake_hands(core: &Core, socket: &mut WebSocket) -> Result<(Established, FrameDecoder), HandshakeFailure> {
    let mut start = BytesMut::new();
    let prologue = loop {
        if let Some(prologue) = take_header(&mut start) {
            break prologue;
        }
        start.extend_from_slice(&next_bytes(socket).await.ok_or(HandshakeFailure::Incomplete)?);
    };
    let mut decoder = FrameDecoder::new();
    decoder.feed(&start);
    let hello = next_frame(socket, &mut decoder).await?;
    match core.identity.read_hello(&prologue, &hello)? {
        AfterHello::Done { reply, established } => {
            send_plain(socket, &reply).await?;
            Ok((*established, decoder))
        }
        AfterHello::AwaitFinish { reply, pending } => {
            send_plain(socket, &reply).await?;
            let finish = next_frame(socket, &mut decoder).await?;
            Ok((pending.read_finish(&finish)?, decoder))
        }
    }
}

fn take_header(start: &mut BytesMut) -> Option<[u8; 4]> {
    if start.starts_with(b"ED") {
        if start.len() < 7 {
            return None;
        }
        let routing = usize::from(start[4]) << 16 | usize::from(start[5]) << 8 | usize::from(start[6]);
        if start.len() < 7 + routing + 4 {
            return None;
        }
        start.advance(7 + routing);
    }
    let header = start.get(..4)?.try_into().ok()?;
    start.advance(4);
    Some(header)
}

async fn next_bytes(socket: &mut WebSocket) -> Option<Bytes> {
    loop {
        match socket.recv().await?.ok()? {
            Message::Binary(bytes) => return Some(bytes),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

async fn next_frame(socket: &mut WebSocket, decoder: &mut FrameDecoder) -> Result<BytesMut, HandshakeFailure> {
    loop {
        if let Some(frame) = decoder.decode_frame() {
            return Ok(frame);
        }
        decoder.feed(&next_bytes(socket).await.ok_or(HandshakeFailure::Incomplete)?);
    }
}

async fn send_plain(socket: &mut WebSocket, payload: &[u8]) -> Result<(), HandshakeFailure> {
    let frame = encode_frame(payload, None).map_err(|_| HandshakeFailure::Malformed)?;
    socket
        .send(Message::Binary(frame.into()))
        .await
        .map_err(|_| HandshakeFailure::Incomplete)
}

async fn read_frames(
    core: &Arc<Core>,
    connection: &Arc<Connection>,
    mut stream: SplitStream<WebSocket>,
    cipher: NoiseCipher,
    mut decoder: FrameDecoder,
) {
    let mut counter = 0u32;
    loop {
        while let Some(mut frame) = decoder.decode_frame() {
            if cipher.decrypt_in_place_with_counter(counter, &mut frame).is_err() {
                tracing::debug!("a frame cannot be decrypted");
                return;
            }
            counter = counter.wrapping_add(1);
            if connection.frozen.load(Ordering::Acquire) {
                continue;
            }
            let Some(stanza) = crate::frame::decode(&frame) else {
                tracing::debug!("a frame is no stanza");
                return;
            };
            core.counters.stanzas_in.fetch_add(1, Ordering::Relaxed);
            handlers::handle(core, connection, stanza);
            if connection.cut.is_cancelled() {
                return;
            }
            connection.room().await;
        }
        let received = tokio::select! {
            () = connection.cut.cancelled() => return,
            received = stream.next() => received,
        };
        match received {
            Some(Ok(Message::Binary(bytes))) => decoder.feed(&bytes),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            Some(Ok(_)) => {}
        }
    }
}

async fn write_frames(
    core: Arc<Core>,
    connection: Arc<Connection>,
    mut sink: SplitSink<WebSocket, Message>,
    cipher: NoiseCipher,
) {
    let mut counter = 0u32;
    let mut batch: Vec<Arc<Node>> = Vec::new();
    loop {
        let queued = connection.queued.notified();
        let closing = connection.take_queued(&mut batch);
        if batch.is_empty() && !closing {
            tokio::select! {
                () = queued => continue,
                () = connection.cut.cancelled() => return,
            }
        }
        connection.drained.notify_one();
        let mut frames = Vec::with_capacity(1024);
        for stanza in batch.drain(..) {
            if connection.frozen.load(Ordering::Acquire) {
                continue;
            }
            if !crate::frame::encode_into(&stanza, &cipher, &mut counter, &mut frames) {
                tracing::error!(tag = %stanza.tag, "a stanza cannot be encoded");
                continue;
            }
            core.counters.stanzas_out.fetch_add(1, Ordering::Relaxed);
            if frames.len() >= BATCH_BYTES && !send_frames(&connection, &mut sink, &mut frames).await {
                return;
            }
        }
        if !frames.is_empty() && !send_frames(&connection, &mut sink, &mut frames).await {
            return;
        }
        if closing {
            // Clients close when they have read why; one that is still busy with what came before
            // would take a closed socket for the reason.
            let left = tokio::time::timeout(PAUSE_BEFORE_CLOSING, connection.cut.cancelled()).await;
            if left.is_err() {
                let _ = tokio::time::timeout(Duration::from_secs(1), sink.close()).await;
            }
            connection.cut();
            return;
        }
    }
}

/// Writes one websocket message; `false` when the connection is over.
async fn send_frames(connection: &Connection, sink: &mut SplitSink<WebSocket, Message>, frames: &mut Vec<u8>) -> bool {
    let message = Message::Binary(std::mem::take(frames).into());
    tokio::select! {
        biased;
        () = connection.cut.cancelled() => false,
        sent = sink.send(message) => {
            if sent.is_err() {
                connection.cut();
            }
            sent.is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_found_behind_the_edge_routing_prelude() {
        let mut start = BytesMut::from(&b"ED\x00\x01\x00\x00\x02xyWA\x06\x03rest"[..]);
        assert_eq!(take_header(&mut start), Some(*b"WA\x06\x03"));
        assert_eq!(&start[..], b"rest");
    }

    #[test]
    fn a_header_in_pieces_is_waited_for() {
        let mut start = BytesMut::from(&b"WA\x06"[..]);
        assert_eq!(take_header(&mut start), None);
        start.extend_from_slice(b"\x03");
        assert_eq!(take_header(&mut start), Some(*b"WA\x06\x03"));
    }
}
