//! The console's files: from a folder, from the binary, or a page that says why there are none.

use std::{
    fmt::Write,
    path::{Component, Path, PathBuf},
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::{Shared, security};

/// Put into the binary by a build that has them: `KABAR_WEB_DIR` says where.
#[derive(RustEmbed)]
#[folder = "$KABAR_WEB_DIR"]
#[allow_missing = true]
struct Embedded;

const NO_CONSOLE: &str = include_str!("../../assets/no-console.html");

struct File {
    bytes: Vec<u8>,
    encoding: Option<&'static str>,
}

/// Answers everything that no other route knows.
pub async fn serve(State(services): State<Shared>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let folder = services.config.server.web_dir.as_deref();
    let Some(path) = clean(request.uri().path()) else {
        return not_found();
    };
    let asked = if path.as_os_str().is_empty() {
        Path::new("index.html").to_owned()
    } else {
        path
    };
    let headers = request.headers();
    if let Some(file) = find(folder, &asked, headers).await {
        return answer(&asked, file, headers);
    }
    // Pages are made in the browser: whatever looks like one gets the application.
    let looks_like_file = asked.extension().is_some();
    if looks_like_file && asked != Path::new("index.html") {
        return not_found();
    }
    let index = Path::new("index.html");
    match find(folder, index, headers).await {
        Some(file) => answer(index, file, headers),
        None => page(StatusCode::OK, NO_CONSOLE.as_bytes().to_vec(), None),
    }
}

/// The path inside the console's folder; `None` when it points anywhere else.
fn clean(path: &str) -> Option<PathBuf> {
    let bytes = percent_decode(path.trim_start_matches('/'))?;
    let decoded = PathBuf::from(bytes);
    let is_plain = |name: &str| !name.starts_with('.') && !name.contains(['\\', '\0']);
    let inside = decoded.components().all(|part| match part {
        Component::Normal(name) => name.to_str().is_some_and(is_plain),
        _ => false,
    });
    inside.then_some(decoded)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// The file, or a compressed form of it that the browser reads.
async fn find(folder: Option<&Path>, path: &Path, headers: &HeaderMap) -> Option<File> {
    // The policy of index.html depends on its text, so it is read as it is.
    let forms: &[(&str, &str)] = if path == Path::new("index.html") {
        &[]
    } else {
        &[("br", "br"), ("gzip", "gz")]
    };
    for (encoding, suffix) in forms {
        if accepts(headers, encoding) {
            let mut name = path.as_os_str().to_owned();
            name.push(".");
            name.push(suffix);
            if let Some(bytes) = read(folder, Path::new(&name)).await {
                let encoding = if *suffix == "br" { "br" } else { "gzip" };
                return Some(File {
                    bytes,
                    encoding: Some(encoding),
                });
            }
        }
    }
    read(folder, path).await.map(|bytes| File { bytes, encoding: None })
}

async fn read(folder: Option<&Path>, path: &Path) -> Option<Vec<u8>> {
    match folder {
        Some(folder) => tokio::fs::read(folder.join(path)).await.ok(),
        None => Embedded::get(path.to_str()?).map(|file| file.data.into_owned()),
    }
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        parts.next() == Some(encoding) && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn answer(path: &Path, file: File, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", STANDARD.encode(&Sha256::digest(&file.bytes)[..12]));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|known| known.split(',').any(|item| item.trim().trim_start_matches("W/") == tag));
    let mut response = if path == Path::new("index.html") {
        page(StatusCode::OK, file.bytes, Some(&tag))
    } else {
        let mut response = Response::new(Body::from(file.bytes));
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        insert(&mut response, header::CONTENT_TYPE, &content_type(kind.essence_str()));
        insert(&mut response, header::ETAG, &tag);
        let cache = if has_fingerprint(path) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        insert(&mut response, header::CACHE_CONTROL, cache);
        response
    };
    insert(&mut response, header::VARY, "accept-encoding");
    if let Some(encoding) = file.encoding {
        insert(&mut response, header::CONTENT_ENCODING, encoding);
    }
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
    }
    response
}

fn content_type(essence: &str) -> String {
    if essence.starts_with("text/") || essence == "application/json" {
        format!("{essence}; charset=utf-8")
    } else {
        essence.to_owned()
    }
}

/// Whether a name changes with its content, as `kabar-3f9a0c12.js`.
fn has_fingerprint(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let print = stem
        .rsplit(['-', '.'])
        .next()
        .unwrap_or_default()
        .trim_end_matches("_bg");
    print.len() >= 8 && print != stem && print.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A page of ours, with a policy that knows the scripts which stand in it.
pub fn page(status: StatusCode, bytes: Vec<u8>, tag: Option<&str>) -> Response {
    let text = String::from_utf8_lossy(&bytes);
    let policy = security::page_policy(&hashes(&text, "script"), &hashes(&text, "style"));
    let mut response = (status, Body::from(bytes)).into_response();
    insert(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
    insert(&mut response, header::CONTENT_SECURITY_POLICY, &policy);
    insert(&mut response, header::CACHE_CONTROL, "no-cache");
    if let Some(tag) = tag {
        insert(&mut response, header::ETAG, tag);
    }
    response
}

/// The hashes of what stands between the tags of a page, as sources for its policy.
fn hashes(page: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}"), format!("</{element}>"));
    let mut hashes = String::new();
    let mut rest = page;
    while let Some(start) = rest.find(&open) {
        rest = &rest[start..];
        let Some(end_of_tag) = rest.find('>') else { break };
        let Some(end) = rest.find(&close) else { break };
        if let Some(inside) = rest.get(end_of_tag + 1..end).filter(|inside| !inside.is_empty()) {
            let hash = STANDARD.encode(Sha256::digest(inside.as_bytes()));
            // Writing to a String never fails.
            let _ = write!(hashes, " 'sha256-{hash}'");
        }
        rest = &rest[end + close.len()..];
    }
    hashes
}

fn insert(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(clean("/a/b.js"), Some("a/b.js".into()));
        assert_eq!(clean("/"), Some("".into()));
        assert_eq!(clean("/a%20b.js"), Some("a b.js".into()));
        for path in [
            "/../etc/passwd",
            "/a/../../b",
            "/%2e%2e/x",
            "//etc/passwd/..",
            "/.git/config",
            "/a%00b",
            "/%zz",
            "/a\\b",
        ] {
            assert_eq!(clean(path), None, "{path}");
        }
    }

    #[test]
    fn only_names_that_change_with_their_content_are_kept_for_ever() {
        for name in [
            "kabar-3f9a0c12.js",
            "kabar-3f9a0c12de_bg.wasm",
            "a/app.0123456789abcdef.css",
        ] {
            assert!(has_fingerprint(Path::new(name)), "{name}");
        }
        for name in [
            "kabar.js",
            "kabar_bg.wasm",
            "index.html",
            "deadbeef.js",
            "logo-dark.svg",
        ] {
            assert!(!has_fingerprint(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn scripts_in_the_page_are_named_by_their_hash() {
        let page = "<script type=\"module\">alert(1)</script><script src=\"x.js\"></script>";
        assert_eq!(
            hashes(page, "script"),
            " 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
        );
        assert_eq!(hashes(page, "style"), "");
    }

    #[test]
    fn encodings_are_negotiated() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("gzip, deflate, br;q=0"),
        );
        assert!(accepts(&headers, "gzip"));
        assert!(!accepts(&headers, "br"));
    }

    #[test]
    fn modules_have_the_type_that_browsers_demand() {
        let kind = |name: &str| content_type(mime_guess::from_path(name).first_or_octet_stream().essence_str());
        assert_eq!(kind("a.wasm"), "application/wasm");
        assert_eq!(kind("a.js"), "text/javascript; charset=utf-8");
        assert_eq!(kind("a.css"), "text/css; charset=utf-8");
    }
}
