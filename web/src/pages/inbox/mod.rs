//! Stub.
use leptos::prelude::*;
#[component]
pub fn InboxPage() -> impl IntoView { view! { <div class="page"></div> } }
