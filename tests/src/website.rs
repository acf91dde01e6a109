//! A website on loopback whose pages a test writes.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use futures::{StreamExt as _, stream};
use tokio::{net::TcpListener, task::JoinHandle};

/// What is found at a path.
#[derive(Clone, Debug)]
pub enum Page {
    Html(String),
    /// Its content type and its bytes.
    File(&'static str, Vec<u8>),
    /// Somewhere else.
    Redirect(String),
    /// An answer that never comes.
    Silent,
    /// A page that never ends, after this.
    Endless(String),
}

#[derive(Default)]
struct Pages {
    pages: HashMap<String, Page>,
    /// The paths that were asked for, in their order.
    requests: Vec<String>,
}

/// A website. It is gone when it is dropped.
pub struct Website {
    address: SocketAddr,
    pages: Arc<Mutex<Pages>>,
    serving: JoinHandle<()>,
}

impl Website {
    /// Without pages, at an address of this machine and a port of its own.
    pub async fn at(host: &str) -> Result<Self> {
        let listener = TcpListener::bind((host, 0)).await?;
        let address = listener.local_addr()?;
        let pages = Arc::<Mutex<Pages>>::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&pages));
        let serving = tokio::spawn(async move {
            // It ends with the test.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            pages,
            serving,
        })
    }

    /// Puts a page at a path, in the place of one that may be there; answers its URL.
    pub fn put(&self, path: &str, page: Page) -> String {
        lock(&self.pages).pages.insert(path.to_owned(), page);
        format!("http://{}{path}", self.address)
    }

    /// The paths that were asked for, in their order.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.pages).requests.clone()
    }
}

impl Drop for Website {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(pages: &Mutex<Pages>) -> std::sync::MutexGuard<'_, Pages> {
    pages.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(pages): State<Arc<Mutex<Pages>>>, uri: Uri) -> Response {
    let page = {
        let mut pages = lock(&pages);
        pages.requests.push(uri.path().to_owned());
        pages.pages.get(uri.path()).cloned()
    };
    let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    match page {
        Some(Page::Html(text)) => (html, text).into_response(),
        Some(Page::File(kind, bytes)) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        Some(Page::Redirect(to)) => Redirect::temporary(&to).into_response(),
        Some(Page::Silent) => std::future::pending().await,
        Some(Page::Endless(beginning)) => {
            let more = stream::repeat_with(|| Bytes::from_static(&[b'x'; 4096]));
            let pieces = stream::once(async { Bytes::from(beginning) }).chain(more);
            (html, Body::from_stream(pieces.map(Ok::<_, std::io::Error>))).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
