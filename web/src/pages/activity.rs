//! Stub.
use leptos::prelude::*;
#[component]
pub fn ActivityPage() -> impl IntoView { view! { <div class="page"></div> } }
