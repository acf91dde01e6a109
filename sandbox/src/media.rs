//! The media host: keeps encrypted files and gives them back.
//!
//! `POST /mms/{kind}/{token}` stores the body and answers `{url, direct_path}`; with `resume=1` it
//! says whether the file is there already. `GET` on the direct path returns the bytes. As
//! whatsapp-rust's `upload.rs` and Baileys' `messages-media.ts` use them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::account::lock;
use crate::core::Core;

/// Files by the hash of their upload token.
pub struct MediaShelf {
    directory: Option<PathBuf>,
    files: Mutex<HashMap<String, Bytes>>,
    bytes: AtomicU64,
}

impl MediaShelf {
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self {
            directory,
            files: Mutex::default(),
            bytes: AtomicU64::new(0),
        }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn contains(&self, name: &str) -> bool {
        lock(&self.files).contains_key(name)
            || self
                .directory
                .as_ref()
                .is_some_and(|directory| directory.join(name).exists())
    }

    async fn put(&self, name: String, body: Bytes) -> std::io::Result<()> {
        self.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
        let Some(directory) = &self.directory else {
            lock(&self.files).insert(name, body);
            return Ok(());
        };
        let unfinished = directory.join(format!("{name}.part"));
        tokio::fs::write(&unfinished, &body).await?;
        tokio::fs::rename(unfinished, directory.join(name)).await
    }

    async fn get(&self, name: &str) -> Option<Bytes> {
        if let Some(directory) = &self.directory {
            return tokio::fs::read(directory.join(name)).await.ok().map(Bytes::from);
        }
        lock(&self.files).get(name).cloned()
    }
}

/// The name of a file: tokens are hashes of the content, so the same upload is the same file. Made
/// of hexadecimal digits only: it becomes a file's name.
fn name_of(token: &str) -> String {
    let hash = Sha256::digest(token);
    let mut start = [0u8; 16];
    start.copy_from_slice(&hash[..16]);
    format!("{:032x}", u128::from_be_bytes(start))
}

/// `POST /mms/{kind}/{token}` and deeper.
pub async fn upload(
    State(core): State<Arc<Core>>,
    Path(path): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let token = query
        .get("token")
        .map_or_else(|| path.rsplit('/').next().unwrap_or_default(), String::as_str);
    if token.is_empty() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let name = name_of(token);
    let direct_path = format!("/v/sandbox/{name}?ccb=11-4&oh=sandbox&oe=FFFFFFFF");
    let url = format!("http://{}{direct_path}", core.address);
    if query.get("resume").is_some_and(|resume| resume == "1") {
        // Uploads are kept whole or not at all: all of it is here, or nothing.
        let progress = if core.media.contains(&name) {
            serde_json::json!({"resume": "complete", "url": url, "direct_path": direct_path})
        } else {
            serde_json::json!({"resume": "0"})
        };
        return Json(progress).into_response();
    }
    if query.get("file_offset").is_some_and(|offset| offset != "0") {
        return StatusCode::CONFLICT.into_response();
    }
    match core.media.put(name, body).await {
        Ok(()) => Json(serde_json::json!({"url": url, "direct_path": direct_path})).into_response(),
        Err(failure) => {
            tracing::error!(%failure, "a file cannot be stored");
            StatusCode::INSUFFICIENT_STORAGE.into_response()
        }
    }
}

/// `GET` on a direct path, whole or from an offset on.
pub async fn download(State(core): State<Arc<Core>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    if !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Some(file) = core.media.get(&name).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let range = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok())
        .and_then(|range| parse_range(range, file.len()));
    match range {
        Some((start, end)) => (
            StatusCode::PARTIAL_CONTENT,
            [(
                header::CONTENT_RANGE,
                format!("bytes {start}-{}/{}", end - 1, file.len()),
            )],
            file.slice(start..end),
        )
            .into_response(),
        None => ([(header::CONTENT_TYPE, "application/octet-stream")], file).into_response(),
    }
}

/// `bytes=start-` or `bytes=start-end`, as a half-open range within the file.
fn parse_range(range: &str, length: usize) -> Option<(usize, usize)> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    let start = start.parse().ok()?;
    let end = if end.is_empty() {
        length
    } else {
        end.parse::<usize>().ok()?.saturating_add(1).min(length)
    };
    (start < end).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_file() {
        assert_eq!(parse_range("bytes=0-", 10), Some((0, 10)));
        assert_eq!(parse_range("bytes=2-5", 10), Some((2, 6)));
        assert_eq!(parse_range("bytes=2-50", 10), Some((2, 10)));
        assert_eq!(parse_range("bytes=10-", 10), None);
        assert_eq!(parse_range("nonsense", 10), None);
    }

    #[test]
    fn names_are_safe_as_file_names() {
        assert!(name_of("../../etc/passwd").bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(name_of("a"), name_of("a"));
    }
}
