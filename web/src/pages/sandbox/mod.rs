//! Stub.
pub mod detail;
use leptos::prelude::*;
#[component]
pub fn SandboxPage() -> impl IntoView { view! { <div class="page"></div> } }
