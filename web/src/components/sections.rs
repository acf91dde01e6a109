//! Pages that belong together: the way from one to the other stands beside each of them.

use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_location};

/// Some of the pages, under a heading.
pub struct Group {
    pub name: String,
    /// Address and name of each page.
    pub links: Vec<(&'static str, &'static str)>,
}

#[component]
pub fn Sections(
    /// What all of them are.
    name: &'static str,
    groups: Vec<Group>,
    children: Children,
) -> impl IntoView {
    let location = use_location();
    let link = move |href: &'static str, label: &'static str| {
        let current = move || {
            let path = location.pathname.get();
            (path == href || path.starts_with(&format!("{href}/"))).then_some("page")
        };
        view! { <A href=href attr:class="section-link" attr:aria-current=current>{label}</A> }
    };
    let nav = NodeRef::<leptos::html::Nav>::new();
    // Where the links are one row that is wider than the screen, the current one must not hide behind its edge.
    Effect::new(move |_| {
        location.pathname.track();
        request_animation_frame(move || {
            // These pages may have been left by then.
            let nav = nav.try_get_untracked().flatten();
            let current = nav.map(|nav| nav.query_selector("[aria-current=page]"));
            if let Some(Ok(Some(current))) = current {
                let how = web_sys::ScrollIntoViewOptions::new();
                how.set_block(web_sys::ScrollLogicalPosition::Nearest);
                how.set_inline(web_sys::ScrollLogicalPosition::Center);
                current.scroll_into_view_with_scroll_into_view_options(&how);
            }
        });
    });
    view! {
        <div class="page wide sections">
            <nav class="section-nav" aria-label=name node_ref=nav>
                {groups.into_iter().filter(|group| !group.links.is_empty()).map(|group| view! {
                    <p class="section-group">{group.name}</p>
                    {group.links.into_iter().map(|(href, label)| link(href, label)).collect_view()}
                }).collect_view()}
            </nav>
            <div class="section-body">{children()}</div>
        </div>
    }
}
