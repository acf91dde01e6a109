//! The way to more rows than are loaded.

use leptos::prelude::*;

use crate::{
    components::{button::Button, toast::use_toasts},
    state::paged::Paged,
    words::words,
};

/// Below a list that comes page by page: the way to more, for those who come by keyboard and when loading failed.
#[component]
pub fn MoreRows<T: Clone + PartialEq + Send + Sync + 'static>(
    list: Paged<T>,
    #[prop(optional)] label: Option<&'static str>,
    #[prop(optional)] testid: &'static str,
) -> impl IntoView {
    let label = label.unwrap_or_else(|| words().load_more());
    let toasts = use_toasts();
    Effect::new(move |_| {
        list.failed.with(|failed| {
            if let Some(error) = failed {
                toasts.fail(error);
            }
        });
    });
    view! {
        <Show when=move || list.more.get()>
            <div class="more">
                <Button label=label busy=list.busy testid on_press=move |()| list.load_more() />
            </div>
        </Show>
    }
}
