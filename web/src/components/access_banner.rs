//! Says on every page that one acts in a tenant of others, why and until when; and the way out.

use gloo_timers::callback::Timeout;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::{
    button::{Button, Kind},
    facts::Timestamp,
    icon::{Icon, icon},
    toast::use_toasts,
};
use crate::{
    api::{
        account::{Viewer, ViewerGrant},
        error::ApiError,
        platform::grants,
    },
    state::session::{Session, use_session},
    words::words,
};

/// After its end the server lets nobody in, whatever its clock's last second is.
const AFTER_MS: u32 = 1_000;

#[component]
pub fn AccessBanner() -> impl IntoView {
    let session = use_session();
    let access = Memo::new(move |_| {
        let viewer = session.viewer.get()?;
        let grant = viewer.access_grant.clone()?;
        Some((grant, viewer))
    });
    move || access.get().map(|(grant, viewer)| view! { <Banner grant viewer /> })
}

#[component]
fn Banner(grant: ViewerGrant, viewer: Viewer) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let navigate = use_navigate();
    let id = StoredValue::new(grant.id.clone());
    let home = StoredValue::new(
        viewer
            .memberships
            .first()
            .map(|membership| membership.tenant.id.inner().to_owned()),
    );
    // When it ends by itself, the session goes on in a tenant that one belongs to.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and hours at most"
    )]
    let rest = grant.expires_at.in_ms().max(0.0) as u32;
    let end = StoredValue::new_local(Some(Timeout::new(rest.saturating_add(AFTER_MS), move || {
        session.resume();
    })));
    on_cleanup(move || {
        // Dropped, it is canceled.
        let _ = end.try_update_value(Option::take);
    });
    let leave = move |()| {
        let navigate = navigate.clone();
        let request = leave(session, id.get_value(), home.get_value());
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            match request.await {
                Ok(()) => navigate("/platform/tenants", NavigateOptions::default()),
                Err(error) => {
                    // The banner is gone when only the end of the grant failed.
                    let _ = busy.try_set(false);
                    toasts.fail(&error);
                }
            }
        });
    };
    view! {
        <div class="banner access-banner" role="status" data-testid="access-banner">
            {icon(Icon::Key)}
            <span>
                <strong>{words().acting_in(&viewer.tenant.name, grant.role)}</strong> " " <q>{grant.reason}</q> " · "
                {words().access_ends()} " " <Timestamp at=grant.expires_at />"."
            </span>
            <Button label=words().leave() kind=Kind::Quiet busy on_press=leave testid="leave-tenant" />
        </div>
    }
}

/// Back to the own tenant, and then the grant ends: nobody needs it any more.
async fn leave(session: Session, grant: cynic::Id, home: Option<String>) -> Result<(), ApiError> {
    if let Some(home) = home {
        session.switch_tenant(home).await?;
        grants::revoke(grant).await?;
    } else {
        grants::revoke(grant).await?;
        session.resume();
    }
    Ok(())
}
