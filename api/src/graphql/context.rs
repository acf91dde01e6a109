//! What the transport knows about a request, for the few resolvers that care: the caller's address, and the cookies.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_graphql::Context;
use chrono::{DateTime, Utc};

use crate::secret::Secret;

/// What the response does to the session's cookie.
#[derive(Clone, Debug)]
pub enum CookieChange {
    /// Keeps the refresh token until it ends.
    Set(Secret, DateTime<Utc>),
    /// Removes it.
    Clear,
}

/// Where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The caller's address, as far as proxies can be trusted with it.
    pub address: Option<IpAddr>,
    /// What the client calls itself, cut to what is stored.
    pub user_agent: Option<Arc<str>>,
}

/// The transport's side of a request.
#[derive(Debug, Default)]
pub struct Transport {
    /// Where the request came from.
    pub origin: Origin,
    /// The client asked for the refresh token to be kept in a cookie.
    pub wants_cookie: bool,
    /// The refresh token that came by cookie, when the client also sent the header that a foreign page can't send.
    pub refresh_cookie: Option<Secret>,
    change: Mutex<Option<CookieChange>>,
    welcome: AtomicBool,
}

impl Transport {
    /// The transport of this request. A request that came by no transport has an empty one.
    pub fn of<'a>(ctx: &Context<'a>) -> Option<&'a Transport> {
        ctx.data_opt::<Arc<Self>>().map(AsRef::as_ref)
    }

    /// A stranger has shown who it is: the request is not one of a stranger any more.
    pub fn welcome(&self) {
        self.welcome.store(true, Ordering::Relaxed);
    }

    /// Whether a stranger has shown who it is.
    pub fn is_welcome(&self) -> bool {
        self.welcome.load(Ordering::Relaxed)
    }

    /// Changes the session's cookie with the response.
    pub fn change_cookie(&self, change: CookieChange) {
        *self.change.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }

    /// What the response has to do to the cookie.
    pub fn take_cookie_change(&self) -> Option<CookieChange> {
        self.change.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
