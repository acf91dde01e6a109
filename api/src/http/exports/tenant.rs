//! Everything a tenant owns, as a ZIP archive of NDJSON files: `docs/export.md` says what stands in it.
//!
//! **Invariant:** memory does not grow with the tenant. Rows are read a page at a time, compressed, and read on when the
//! client has taken what came before: between the three stand channels that hold little.

use std::io::{self, Write};

use axum::{extract::State, http::request::Parts, response::Response};
use tokio::{runtime::Handle, sync::mpsc};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{super::Shared, Piece, WAITING, body, broken, file, forbidden, hand_on, reader};
use crate::{
    platform::export::{ExportError, Part, TenantExport},
    store::ScopeOrigin,
};

/// How much is handed on at once.
const CHUNK: usize = 64 * 1024;

/// `/exports/tenant.zip`: for owners, and operators who are let in as ADMIN. That it was exported stands in the audit log.
pub async fn archive(State(services): State<Shared>, request: Parts) -> Response {
    let caller = match reader(&services, &request).await {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    let slot = match services.exports.take(caller.tenant_id()) {
        Ok(slot) => slot,
        Err(full) => return full.answer(),
    };
    let export = match TenantExport::begin(&services.store, &services.clock, &caller).await {
        Ok(export) => export,
        Err(ExportError::Forbidden) => return forbidden(),
        Err(ExportError::Database(error)) => return broken(&error),
    };
    let name = format!("{}-{}.zip", export.slug(), services.clock.now().format("%Y-%m-%d"));
    let (parts, waiting) = mpsc::channel(WAITING);
    let (chunks, body) = body();
    // It ends by itself when the client goes: then nobody takes chunks any more, and then nobody takes parts.
    tokio::spawn(export.write(parts));
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        compress(waiting, chunks, &runtime);
        drop(slot);
    });
    file(&name, "application/zip", body)
}

/// Compresses what comes until it ends. An archive that was not read to its end has no directory, and is refused by whoever
/// opens it.
fn compress(mut parts: mpsc::Receiver<Part>, chunks: mpsc::Sender<Piece>, runtime: &Handle) {
    let failed = chunks.clone();
    if let Err(error) = archive_of(&mut parts, chunks, runtime) {
        tracing::warn!(%error, "an export ended before its time");
        // The client may be gone, or take nothing.
        let _ = failed.try_send(Err(error));
    }
}

fn archive_of(parts: &mut mpsc::Receiver<Part>, chunks: mpsc::Sender<Piece>, runtime: &Handle) -> io::Result<()> {
    let sink = Chunks {
        waiting: Vec::with_capacity(CHUNK),
        client: chunks,
        runtime,
    };
    let mut archive = ZipWriter::new_stream(sink);
    // Sizes are known only afterwards, so every file may be one of more than 4 GiB.
    let options = SimpleFileOptions::default().large_file(true);
    while let Some(part) = parts.blocking_recv() {
        match part {
            Part::File(name) => archive.start_file(name, options)?,
            Part::Lines(lines) => archive.write_all(&lines)?,
            Part::End => {
                let mut sink = archive.finish()?.into_inner();
                return sink.flush();
            }
        }
    }
    Err(io::Error::other("the rows could not all be read"))
}

/// Hands on what is written, in chunks of a good size.
struct Chunks<'a> {
    waiting: Vec<u8>,
    client: mpsc::Sender<Piece>,
    runtime: &'a Handle,
}

impl Chunks<'_> {
    fn hand_on(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.waiting, Vec::with_capacity(CHUNK));
        self.runtime.block_on(hand_on(&self.client, Ok(chunk.into())))
    }
}

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK {
            self.hand_on()?;
        }
        Ok(bytes.len())
    }

    // The archive flushes after every file; small chunks would be of no use to anybody.
    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            Ok(())
        } else {
            self.hand_on()
        }
    }
}
