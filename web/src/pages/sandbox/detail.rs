//! Stub.
use leptos::prelude::*;
#[component]
pub fn SandboxPhonePage() -> impl IntoView { view! { <div class="page"></div> } }
