//! Pages for people who follow a link from outside, whether they are signed in or not.

pub mod invitation;
pub mod password;

use leptos::prelude::*;
use leptos_router::{
    Lazy,
    components::{Route, Routes},
    path,
};

use super::{
    not_found::NotFoundPage,
    parts::{ForgottenPassword, Invitation, ResetPassword},
};

const ADDRESSES: [&str; 3] = ["/invitation", "/forgotten-password", "/password-reset"];

/// Whether the browser's address is one of theirs.
pub fn is_entrance() -> bool {
    let path = window().location().pathname().unwrap_or_default();
    ADDRESSES.contains(&path.as_str())
}

#[component]
pub fn Entrance() -> impl IntoView {
    view! {
        <Routes fallback=|| view! { <NotFoundPage /> }>
            <Route path=path!("/invitation") view={Lazy::<Invitation>::new()} />
            <Route path=path!("/forgotten-password") view={Lazy::<ForgottenPassword>::new()} />
            <Route path=path!("/password-reset") view={Lazy::<ResetPassword>::new()} />
        </Routes>
    }
}

/// The secret of the link. It stands behind the `#`, which no server sees.
fn secret() -> String {
    let hash = window().location().hash().unwrap_or_default();
    hash.trim_start_matches('#').to_owned()
}

/// Leaves for the first page, where the session is taken up anew.
fn go_in() {
    // A browser that refuses to go stays, and the person follows the link themselves.
    let _ = window().location().assign("/");
}
