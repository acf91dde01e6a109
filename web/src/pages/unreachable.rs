//! The server did not answer, so nobody knows who is signed in.

use gloo_timers::callback::Timeout;
use leptos::prelude::*;

use crate::{
    components::{
        button::{Button, Kind},
        icon::Icon,
        states::EmptyState,
    },
    state::session::{Stage, use_session},
    words::words,
};

const AGAIN_MS: u32 = 5_000;

#[component]
pub fn UnreachablePage() -> impl IntoView {
    let session = use_session();
    Timeout::new(AGAIN_MS, move || {
        if session.stage.get_untracked() == Stage::Unreachable {
            session.resume();
        }
    })
    .forget();
    view! {
        <main class="page" data-testid="unreachable">
            <EmptyState whole_page=true symbol=Icon::Unlink title=words().unreachable() text=words().unreachable_text()>
                <Button label=words().try_again() kind=Kind::Primary on_press=move |()| session.resume() />
            </EmptyState>
        </main>
    }
}
