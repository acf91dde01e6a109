//! What the page behind a text's first link says of itself: fetched when somebody asks for it, shown beside the text.
//!
//! **Where.** Before the message is accepted, as WhatsApp's own clients do while one still writes, and in no transaction.
//! What is stored with the message is all that is ever sent: every attempt, and what a recipient that could not read it
//! gets again, is the same message. A slow page delays the call that asked for it, not the device's queue or the order of
//! a chat; and a crash leaves nothing half done.
//!
//! **Invariant:** no page hinders a message. Whatever goes wrong, the text goes out without a preview.

mod page;
mod thumbnail;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use entity::TenantId;
use linkify::{LinkFinder, LinkKind};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use url::Url;

use self::page::Page;
use crate::{
    engine::LinkPreview,
    fetch::{FetchError, Fetcher, Wanted},
};

/// A page says what it is at its beginning.
const PAGE: Wanted = Wanted {
    types: &["text/html", "application/xhtml+xml"],
    most: 256 * 1024,
    beginning: true,
};
const PICTURE: Wanted = Wanted {
    types: &["image/"],
    most: 5 * 1024 * 1024,
    beginning: false,
};
/// Links that are longer are not followed.
const LONGEST_LINK: usize = 2048;
/// Previews that are fetched at the same time, by this server and for one tenant.
const AT_ONCE: usize = 32;
const AT_ONCE_PER_TENANT: usize = 8;
/// A picture needs up to 64 MB while it is drawn small.
const DRAWN_AT_ONCE: usize = 2;

/// Makes previews. Cheap to clone.
#[derive(Clone)]
pub struct LinkPreviews {
    parts: Arc<Parts>,
}

struct Parts {
    fetcher: Fetcher,
    /// For page and picture together.
    timeout: Duration,
    places: Semaphore,
    of_tenants: Mutex<HashMap<TenantId, Weak<Semaphore>>>,
    drawing: Arc<Semaphore>,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
enum Missing {
    #[error("the page was not fetched: {0}")]
    Page(#[from] FetchError),
    #[error("the page has no title")]
    Title,
}

impl LinkPreviews {
    /// `timeout` is for all that one preview needs.
    pub fn new(fetcher: Fetcher, timeout: Duration) -> Self {
        let parts = Parts {
            fetcher,
            timeout,
            places: Semaphore::new(AT_ONCE),
            of_tenants: Mutex::default(),
            drawing: Arc::new(Semaphore::new(DRAWN_AT_ONCE)),
        };
        Self { parts: Arc::new(parts) }
    }

    /// The preview of a text's first link; `None` when there is no link, or nothing to show for it. The log says why, and
    /// does not name the link, which is part of what somebody writes.
    pub async fn of(&self, tenant: TenantId, text: &str) -> Option<LinkPreview> {
        let (link, url) = first_link(text)?;
        let made = self.make(tenant, link, url).await;
        let result = if made.is_ok() { "made" } else { "missing" };
        metrics::counter!("kabar_link_previews_total", "result" => result).increment(1);
        made.inspect_err(|reason| tracing::info!(%tenant, %reason, "a text goes out without the preview of its link"))
            .ok()
    }

    async fn make(&self, tenant: TenantId, link: &str, url: Url) -> Result<LinkPreview, Missing> {
        let deadline = Instant::now() + self.parts.timeout;
        let of_tenant = self.places_of(tenant);
        let places = async { (of_tenant.acquire().await, self.parts.places.acquire().await) };
        // Held until the preview is made. Neither is ever closed.
        let _places = timeout_at(deadline, places).await.map_err(|_| FetchError::TimedOut)?;
        let fetched = self.parts.fetcher.get(url, PAGE, deadline).await?;
        let page = Page::read(&fetched.body, &fetched.content_type, &fetched.url);
        let thumbnail = match page.picture {
            Some(picture) => self.thumbnail(tenant, picture, deadline).await,
            None => None,
        };
        Ok(LinkPreview {
            url: link.to_owned(),
            title: page.title.ok_or(Missing::Title)?,
            description: page.description,
            thumbnail,
        })
    }

    /// The page's picture, small; the preview does without when it cannot be had.
    async fn thumbnail(&self, tenant: TenantId, picture: Url, deadline: Instant) -> Option<Vec<u8>> {
        let fetched = self.parts.fetcher.get(picture, PICTURE, deadline).await;
        let picture = fetched
            .inspect_err(|reason| tracing::info!(%tenant, %reason, "a link's preview has no picture"))
            .ok()?;
        let drawing = Arc::clone(&self.parts.drawing);
        let drawn = timeout_at(deadline, async {
            let place = drawing.acquire_owned().await.ok()?;
            let drawn = tokio::task::spawn_blocking(move || {
                let drawn = thumbnail::draw(&picture.body);
                drop(place);
                drawn
            });
            // It panics only in a decoder, which is then as if it could not read the picture.
            Some(drawn.await.unwrap_or(Err(thumbnail::Unreadable)))
        });
        match drawn.await.ok()?? {
            Ok(thumbnail) => Some(thumbnail),
            Err(reason) => {
                tracing::info!(%tenant, %reason, "a link's preview has no picture");
                None
            }
        }
    }

    fn places_of(&self, tenant: TenantId) -> Arc<Semaphore> {
        let mut tenants = self.parts.of_tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = tenants.get(&tenant).and_then(Weak::upgrade) {
            return places;
        }
        tenants.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(AT_ONCE_PER_TENANT));
        tenants.insert(tenant, Arc::downgrade(&places));
        places
    }
}

/// The first link of a text that can be followed, as it stands there and as it is understood.
fn first_link(text: &str) -> Option<(&str, Url)> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let mut links = finder.links(text).map(|link| link.as_str());
    links.find_map(|link| {
        let url = Url::parse(link).ok().filter(|_| link.len() <= LONGEST_LINK)?;
        matches!(url.scheme(), "http" | "https").then_some((link, url))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> Option<&str> {
        first_link(text).map(|(link, _)| link)
    }

    #[test]
    fn the_first_link_of_the_web_is_found_as_it_is_written() {
        assert_eq!(
            link("Lihat https://contoh.id/a?b=1#c."),
            Some("https://contoh.id/a?b=1#c")
        );
        assert_eq!(link("(HTTP://Contoh.ID), https://lain.id"), Some("HTTP://Contoh.ID"));
        assert_eq!(
            link("ftp://contoh.id lalu https://lain.id/x_(y)"),
            Some("https://lain.id/x_(y)")
        );
        assert_eq!(link("https://contoh.id/日本"), Some("https://contoh.id/日本"));
        for text in [
            "tanpa tautan",
            "contoh.id",
            "a@contoh.id",
            "http://",
            "javascript:alert(1)",
            "file:///etc/passwd",
        ] {
            assert_eq!(link(text), None, "{text}");
        }
        assert_eq!(link(&format!("https://contoh.id/{}", "x".repeat(LONGEST_LINK))), None);
    }
}
