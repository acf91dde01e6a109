//! The access token, held in memory only, and its renewal through the httpOnly cookie.
//!
//! **Invariant:** refresh tokens rotate, and using an old one ends the session everywhere. So only one renewal runs at
//! a time: within the tab by sharing one future, among tabs by a Web Lock.

use std::cell::RefCell;

use cynic::MutationBuilder;
use futures::{
    FutureExt,
    future::{LocalBoxFuture, Shared},
};
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::{
    account::{RefreshSession, RefreshSessionInput, RefreshVariables, Viewer},
    client,
    error::{ApiError, accept},
    values::ErrorCode,
};

type Renewal = Shared<LocalBoxFuture<'static, Result<Viewer, ApiError>>>;

thread_local! {
    static TOKEN: RefCell<Option<String>> = const { RefCell::new(None) };
    static RENEWAL: RefCell<Option<Renewal>> = const { RefCell::new(None) };
}

const TENANT: &str = "kabar-tenant";

pub fn current() -> Option<String> {
    TOKEN.with_borrow(Clone::clone)
}

pub fn keep(token: String) {
    TOKEN.set(Some(token));
}

pub fn forget() {
    TOKEN.set(None);
    if let Some(storage) = storage() {
        // Without the key the next session starts in the user's first tenant.
        let _ = storage.remove_item(TENANT);
    }
}

/// The tenant this tab works in; each tab may have another.
fn tenant() -> Option<String> {
    storage()?.get_item(TENANT).ok().flatten()
}

pub fn keep_tenant(id: &str) {
    if let Some(storage) = storage() {
        // A browser that refuses storage only forgets the tab's tenant.
        let _ = storage.set_item(TENANT, id);
    }
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.session_storage().ok().flatten()
}

/// A new access token for the tenant of this tab.
pub async fn renew() -> Result<Viewer, ApiError> {
    let shared = RENEWAL.with_borrow_mut(|slot| {
        slot.get_or_insert_with(|| {
            async {
                let renewed = match exchange(tenant()).await {
                    // No longer a member of the tab's tenant: begin again in another.
                    Err(error)
                        if tenant().is_some() && (error.is(ErrorCode::NotFound) || error.is(ErrorCode::Forbidden)) =>
                    {
                        exchange(None).await
                    }
                    answer => answer,
                };
                RENEWAL.set(None);
                renewed
            }
            .boxed_local()
            .shared()
        })
        .clone()
    });
    shared.await
}

/// Changes to another tenant.
pub async fn switch(tenant_id: String) -> Result<Viewer, ApiError> {
    exchange(Some(tenant_id)).await
}

async fn exchange(tenant_id: Option<String>) -> Result<Viewer, ApiError> {
    let outcome = std::rc::Rc::new(RefCell::new(Err(ApiError::Offline)));
    let inside = outcome.clone();
    exclusively(async move {
        let answer = refresh(tenant_id).await;
        *inside.borrow_mut() = answer;
    })
    .await;
    outcome.replace(Err(ApiError::Offline))
}

async fn refresh(tenant_id: Option<String>) -> Result<Viewer, ApiError> {
    let variables = RefreshVariables {
        input: RefreshSessionInput {
            tenant_id: tenant_id.map(cynic::Id::new),
        },
    };
    let payload = client::run_once(RefreshSession::build(variables))
        .await?
        .refresh_session;
    let accepted = accept(payload.access_token.zip(payload.viewer), payload.user_errors);
    let (token, viewer) = accepted.map_err(|error| match error {
        error if error.is(ErrorCode::SessionExpired) || error.is(ErrorCode::InvalidCredentials) => ApiError::SignedOut,
        ApiError::Refused(errors) if errors.is_empty() => ApiError::SignedOut,
        error => error,
    })?;
    keep(token);
    keep_tenant(viewer.tenant.id.inner());
    Ok(viewer)
}

/// Runs `work` while no other tab does. Browsers without locks (plain HTTP off localhost) run it at once.
async fn exclusively(work: impl Future<Output = ()> + 'static) {
    let Some((locks, request)) = lock_manager() else {
        return work.await;
    };
    let work = RefCell::new(Some(work));
    let inside = Closure::<dyn FnMut() -> Promise>::new(move || {
        let work = work.take();
        future_to_promise(async move {
            if let Some(work) = work {
                work.await;
            }
            Ok(JsValue::UNDEFINED)
        })
    });
    let promise = request.call2(&locks, &"kabar-session".into(), inside.as_ref());
    if let Some(promise) = promise.ok().and_then(|promise| promise.dyn_into::<Promise>().ok()) {
        // The outcome is what `work` left behind, not what the lock answers.
        let _ = JsFuture::from(promise).await;
    }
}

fn lock_manager() -> Option<(JsValue, Function)> {
    let navigator = web_sys::window()?.navigator();
    let locks = Reflect::get(&navigator, &"locks".into())
        .ok()
        .filter(JsValue::is_object)?;
    let request = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    Some((locks, request))
}
