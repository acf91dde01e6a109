//! What a list or page shows when it is loading, empty or failed.

use leptos::prelude::*;

use super::{
    button::Button,
    icon::{Icon, icon},
};
use crate::{
    api::error::ApiError,
    state::remote::{Load, Remote},
    words::{self, words},
};

/// Grey rows in the shape of what comes.
#[component]
pub fn Skeleton(#[prop(default = 6)] rows: usize, #[prop(default = "row")] shape: &'static str) -> impl IntoView {
    view! {
        <div class="skeleton" role="status" aria-label=words().loading()>
            {(0..rows).map(|_| view! { <span class=format!("skeleton-{shape}")></span> }).collect_view()}
        </div>
    }
}

/// Nothing there yet: what it is for and the first thing to do.
#[component]
pub fn EmptyState(
    #[prop(optional)] symbol: Option<Icon>,
    #[prop(into)] title: String,
    #[prop(optional, into)] text: String,
    /// Whether it is all there is on the page.
    #[prop(optional)]
    whole_page: bool,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty" data-testid="empty">
            {symbol.map(icon)}
            {if whole_page { view! { <h1>{title}</h1> }.into_any() } else { view! { <h2>{title}</h2> }.into_any() }}
            {(!text.is_empty()).then(|| view! { <p>{text}</p> })}
            {children.map(|children| view! { <div class="empty-actions">{children()}</div> })}
        </div>
    }
}

/// What went wrong, and another try.
#[component]
pub fn ErrorState(error: ApiError, #[prop(into)] on_retry: Callback<()>) -> impl IntoView {
    view! {
        <div class="empty failed" role="alert" data-testid="error">
            {icon(Icon::Warning)}
            <h2>{words().could_not_load()}</h2>
            <p>{words::explain(&error)}</p>
            <div class="empty-actions">
                <Button label=words().try_again() symbol=Icon::Refresh on_press=on_retry />
            </div>
        </div>
    }
}

/// An error in a form that belongs to no field.
#[component]
pub fn FormError(#[prop(into)] error: Signal<Option<ApiError>>) -> impl IntoView {
    move || {
        error.get().map(|error| {
            view! {
                <p class="form-error" role="alert" data-testid="form-error">
                    {icon(Icon::Warning)}
                    <span>{words::explain(&error)}</span>
                </p>
            }
        })
    }
}

#[derive(Clone, PartialEq)]
enum Shown {
    Loading,
    Ready,
    Failed(ApiError),
}

/// Shows the state of something loaded; `children` draw it once it is there and then follow its signal themselves.
#[component]
pub fn Loaded<T: Clone + Send + Sync + 'static>(
    remote: Remote<T>,
    #[prop(default = 6)] rows: usize,
    #[prop(default = "row")] shape: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let shown = Memo::new(move |_| {
        remote.value.with(|value| match value {
            Load::Loading => Shown::Loading,
            Load::Ready(_) => Shown::Ready,
            Load::Failed(error) => Shown::Failed(error.clone()),
        })
    });
    move || match shown.get() {
        Shown::Loading => view! { <Skeleton rows shape /> }.into_any(),
        Shown::Ready => children().into_any(),
        Shown::Failed(error) => view! { <ErrorState error on_retry=move |()| remote.retry() /> }.into_any(),
    }
}
