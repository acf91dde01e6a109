//! The whole console: what every page finds in its context, and which page belongs to which address.

use leptos::prelude::*;
use leptos_router::{
    Lazy,
    components::{Redirect, Route, Router, Routes},
    path,
};

use crate::{
    components::{
        shell::Shell,
        toast::{ToastRegion, Toasts},
    },
    pages::{
        activity::ActivityPage,
        entrance::{Entrance, is_entrance},
        login::LoginPage,
        not_found::NotFoundPage,
        overview::OverviewPage,
        parts::{
            Account, Audit, Device, Devices, General, Inbox, Members, Plans, PlatformAudit, PlatformSettings, QrSheet,
            Sandbox, SandboxPhone, Tenant, Tenants, Tokens, Usage,
        },
        unreachable::UnreachablePage,
    },
    state::{
        clock::Clock,
        live::Live,
        preferences::Preferences,
        session::{Session, Stage},
    },
};

#[component]
pub fn App() -> impl IntoView {
    let preferences = Preferences::provide();
    Live::provide();
    Clock::provide();
    Toasts::provide();
    let session = Session::provide();
    // Another language, person or tenant draws everything anew, so that no page has to think of it.
    let key = Memo::new(move |_| (preferences.language.get(), session.stage.get(), session.tenant_id()));
    view! {
        <Router>
            {move || match key.get().1 {
                Stage::Starting => ().into_any(),
                Stage::Unreachable => view! { <UnreachablePage /> }.into_any(),
                Stage::SignedOut | Stage::SignedIn if is_entrance() => view! { <Entrance /> }.into_any(),
                Stage::SignedOut => view! { <LoginPage /> }.into_any(),
                Stage::SignedIn => view! { <SignedIn /> }.into_any(),
            }}
        </Router>
        <ToastRegion />
    }
}

#[component]
fn SignedIn() -> impl IntoView {
    view! {
        <Shell>
            <Routes fallback=|| view! { <NotFoundPage /> }>
                <Route path=path!("/") view=OverviewPage />
                <Route path=path!("/login") view=|| view! { <Redirect path="/" /> } />
                <Route path=path!("/inbox/:chat?") view={Lazy::<Inbox>::new()} />
                <Route path=path!("/devices") view={Lazy::<Devices>::new()} />
                <Route path=path!("/devices/:id") view={Lazy::<Device>::new()} />
                <Route path=path!("/devices/:id/qr") view={Lazy::<QrSheet>::new()} />
                <Route path=path!("/activity") view=ActivityPage />
                <Route path=path!("/settings") view=|| view! { <Redirect path="/settings/members" /> } />
                <Route path=path!("/settings/general") view={Lazy::<General>::new()} />
                <Route path=path!("/settings/members") view={Lazy::<Members>::new()} />
                <Route path=path!("/settings/tokens") view={Lazy::<Tokens>::new()} />
                <Route path=path!("/settings/usage") view={Lazy::<Usage>::new()} />
                <Route path=path!("/settings/audit") view={Lazy::<Audit>::new()} />
                <Route path=path!("/settings/account") view={Lazy::<Account>::new()} />
                <Route path=path!("/platform") view=|| view! { <Redirect path="/platform/tenants" /> } />
                <Route path=path!("/platform/tenants") view={Lazy::<Tenants>::new()} />
                <Route path=path!("/platform/tenants/:id") view={Lazy::<Tenant>::new()} />
                <Route path=path!("/platform/audit") view={Lazy::<PlatformAudit>::new()} />
                <Route path=path!("/platform/plans") view={Lazy::<Plans>::new()} />
                <Route path=path!("/platform/settings") view={Lazy::<PlatformSettings>::new()} />
                <Route path=path!("/sandbox") view={Lazy::<Sandbox>::new()} />
                <Route path=path!("/sandbox/:number") view={Lazy::<SandboxPhone>::new()} />
            </Routes>
        </Shell>
    }
}
