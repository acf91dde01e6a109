//! An address that leads nowhere.

use leptos::prelude::*;

use crate::{
    components::{button::ButtonLink, icon::Icon, states::EmptyState},
    words::words,
};

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <div class="page" data-testid="not-found">
            <EmptyState whole_page=true symbol=Icon::Search title=words().not_found() text=words().not_found_text()>
                <ButtonLink href="/" label=words().to_overview() />
            </EmptyState>
        </div>
    }
}
