//! The guarded client against servers on loopback, some of which it may speak to.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, http::HeaderMap, response::Redirect, routing::get};
use futures::{StreamExt as _, stream};
use tokio::net::TcpListener;

use super::*;

const ANYTHING: Wanted = Wanted {
    types: &["text/html", "image/"],
    most: 1000,
    beginning: false,
};

/// May speak to 127.0.0.1 only.
fn fetcher() -> Fetcher {
    let config = config::Fetching {
        timeout: Duration::from_secs(5),
        allowed_networks: vec!["127.0.0.1".parse().expect("an address")],
        authorities: None,
    };
    Fetcher::new(&config).expect("no authority")
}

async fn serve(host: &str, router: Router) -> SocketAddr {
    let listener = TcpListener::bind((host, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn fetch(url: &str, wanted: Wanted) -> Result<Fetched, FetchError> {
    fetch_within(Duration::from_secs(5), url, wanted).await
}

async fn fetch_within(patience: Duration, url: &str, wanted: Wanted) -> Result<Fetched, FetchError> {
    let url = Url::parse(url).expect("a URL");
    fetcher().get(url, wanted, Instant::now() + patience).await
}

/// A page of `bytes` letters.
fn page(bytes: usize) -> ([(header::HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, "Text/HTML; charset=utf-8")], "x".repeat(bytes))
}

#[tokio::test]
async fn a_page_is_fetched_as_any_client_would() {
    let heard = Arc::new(std::sync::Mutex::new(HeaderMap::new()));
    let noted = Arc::clone(&heard);
    let handler = move |headers: HeaderMap| {
        *noted.lock().expect("no panic") = headers;
        async { page(10) }
    };
    let server = serve("127.0.0.1", Router::new().route("/a", get(handler))).await;
    let fetched = fetch(&format!("http://localhost:{}/a?b=%20c#d", server.port()), ANYTHING).await;
    let fetched = fetched.expect("a page");
    assert_eq!(fetched.body, b"xxxxxxxxxx");
    assert_eq!(fetched.content_type, "text/html; charset=utf-8");
    let heard = heard.lock().expect("no panic");
    assert_eq!(heard[header::HOST], format!("localhost:{}", server.port()).as_str());
    assert_eq!(heard[header::ACCEPT], "text/html, image/*");
    assert!(!heard.contains_key(header::COOKIE) && !heard.contains_key(header::AUTHORIZATION));
}

#[tokio::test]
async fn a_redirect_to_a_forbidden_address_is_not_followed() {
    let knocks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&knocks);
    let secret = Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { page(1) }
    });
    // The same machine by another address, which is not allowed.
    let inner = serve("127.0.0.2", secret).await;
    let to = |url: String| get(move || async move { Redirect::temporary(&url) });
    let router = Router::new()
        .route("/address", to(format!("http://{inner}/")))
        .route("/mapped", to(format!("http://[::ffff:7f00:2]:{}/", inner.port())))
        .route("/number", to(format!("http://2130706434:{}/", inner.port())))
        .route("/metadata", to("http://169.254.169.254/latest/meta-data/".to_owned()))
        .route("/file", to("file:///etc/passwd".to_owned()))
        .route("/login", to(format!("http://user:password@{inner}/")));
    let server = serve("127.0.0.1", router).await;
    for path in ["address", "mapped", "number", "metadata"] {
        let refused = fetch(&format!("http://{server}/{path}"), ANYTHING).await;
        assert!(matches!(refused, Err(FetchError::Private)), "{path}: {refused:?}");
    }
    let refused = fetch(&format!("http://{server}/file"), ANYTHING).await;
    assert!(matches!(refused, Err(FetchError::Address)), "{refused:?}");
    let refused = fetch(&format!("http://{server}/login"), ANYTHING).await;
    assert!(matches!(refused, Err(FetchError::Credentials)), "{refused:?}");
    assert_eq!(knocks.load(Ordering::SeqCst), 0, "nobody knocked there");
}

#[tokio::test]
async fn redirects_are_followed_a_few_times() {
    let router = Router::new()
        .route("/once", get(|| async { Redirect::permanent("page?a=1") }))
        .route("/page", get(|| async { page(1) }))
        .route("/round", get(|| async { Redirect::temporary("/round") }));
    let server = serve("127.0.0.1", router).await;
    let fetched = fetch(&format!("http://{server}/once"), ANYTHING).await.expect("a page");
    assert_eq!(fetched.url.as_str(), format!("http://{server}/page?a=1"));
    let refused = fetch(&format!("http://{server}/round"), ANYTHING).await;
    assert!(matches!(refused, Err(FetchError::Redirects)), "{refused:?}");
}

#[tokio::test]
async fn an_answer_is_bounded_in_bytes() {
    let endless = || async {
        let piece = axum::body::Bytes::from_static(&[b'x'; 700]);
        let body = stream::repeat_with(move || Ok::<_, io::Error>(piece.clone()));
        ([(header::CONTENT_TYPE, "text/html")], Body::from_stream(body))
    };
    let router = Router::new()
        .route("/endless", get(endless))
        .route("/right", get(|| async { page(1000) }))
        .route(
            "/head",
            get(|| async { ([("x-long", "x".repeat(1_000_000))], page(1)) }),
        );
    let server = serve("127.0.0.1", router).await;
    let endless = format!("http://{server}/endless");
    let refused = fetch(&endless, ANYTHING).await;
    assert!(matches!(refused, Err(FetchError::TooLarge(1000))), "{refused:?}");
    let beginning = Wanted {
        beginning: true,
        ..ANYTHING
    };
    let fetched = fetch(&endless, beginning).await.expect("its beginning");
    assert_eq!(fetched.body.len(), 1000);
    let fetched = fetch(&format!("http://{server}/right"), ANYTHING)
        .await
        .expect("all of it");
    assert_eq!(fetched.body.len(), 1000);
    assert!(fetch(&format!("http://{server}/head"), ANYTHING).await.is_err());
}

#[tokio::test]
async fn an_answer_is_bounded_in_time() {
    let dripping = || async {
        let body = stream::once(async { Ok::<_, io::Error>("<html>") }).chain(stream::pending());
        ([(header::CONTENT_TYPE, "text/html")], Body::from_stream(body))
    };
    let silent = || async { std::future::pending::<()>().await };
    let router = Router::new()
        .route("/dripping", get(dripping))
        .route("/silent", get(silent));
    let server = serve("127.0.0.1", router).await;
    for path in ["dripping", "silent"] {
        let url = format!("http://{server}/{path}");
        let refused = fetch_within(Duration::from_millis(200), &url, ANYTHING).await;
        assert!(matches!(refused, Err(FetchError::TimedOut)), "{path}: {refused:?}");
    }
}

#[tokio::test]
async fn what_was_not_asked_for_is_refused() {
    let kind = |kind: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], "x") });
    let packed = || async {
        (
            [(header::CONTENT_TYPE, "text/html"), (header::CONTENT_ENCODING, "gzip")],
            "x",
        )
    };
    let router = Router::new()
        .route("/html", kind("text/html"))
        .route("/png", kind("image/png"))
        .route("/json", kind("application/json"))
        .route("/like", kind("text/html-not"))
        .route("/packed", get(packed));
    let server = serve("127.0.0.1", router).await;
    for path in ["html", "png"] {
        assert!(
            fetch(&format!("http://{server}/{path}"), ANYTHING).await.is_ok(),
            "{path}"
        );
    }
    for path in ["json", "like", "packed"] {
        let refused = fetch(&format!("http://{server}/{path}"), ANYTHING).await;
        assert!(matches!(refused, Err(FetchError::Kind)), "{path}: {refused:?}");
    }
    let refused = fetch(&format!("http://{server}/nothing"), ANYTHING).await;
    assert!(
        matches!(refused, Err(FetchError::Refused(StatusCode::NOT_FOUND))),
        "{refused:?}"
    );
    for url in ["ftp://127.0.0.1/", "data:text/html,x", "http://a:b@127.0.0.1/"] {
        assert!(
            matches!(
                fetch(url, ANYTHING).await,
                Err(FetchError::Address | FetchError::Credentials)
            ),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let server = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail.contoh.id ESMTP\r\n").await;
        }
    });
    let refused = fetch(&format!("http://{server}/"), ANYTHING).await;
    assert!(matches!(refused, Err(FetchError::Broken(_))), "{refused:?}");
    let refused = fetch(&format!("https://{server}/"), ANYTHING).await;
    assert!(matches!(refused, Err(FetchError::Unreachable(_))), "{refused:?}");
}
