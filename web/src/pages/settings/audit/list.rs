//! The entries of a log with their filters: of the tenant or, for operators, of all.

use leptos::prelude::*;

use super::{
    entry::Entry,
    filter::{Filter, FilterRow},
};
use crate::{
    api::{
        audit::{self, AuditEntry},
        platform,
    },
    components::{
        button::Button,
        icon::Icon,
        states::{EmptyState, Loaded},
        toast::use_toasts,
    },
    state::paged::{self, Paged},
    words::words,
};

const PAGE_SIZE: i32 = 50;

/// Whose log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    Tenant,
    /// Of every tenant, and the platform's own.
    Platform,
}

#[component]
pub fn AuditList(log: Log, text: &'static str) -> impl IntoView {
    let toasts = use_toasts();
    let filter = Filter::of_address();
    let entries: Paged<AuditEntry> = Paged::new(move |after| {
        let (whose, wanted) = (filter.whose(), filter.wanted());
        async move {
            let page = match log {
                Log::Tenant => audit::list(wanted, PAGE_SIZE, after).await?,
                Log::Platform => platform::audit::list(whose, wanted, PAGE_SIZE, after).await?,
            };
            Ok((page.nodes, paged::next(page.page_info)))
        }
    });
    view! {
        <header class="page-head">
            <h1>{words().audit_log()}</h1>
            <a class="button" href=move || filter.csv_address(log) rel="external" download="audit-log.csv" data-testid="audit-csv">
                {words().export_csv()}
            </a>
        </header>
        <p class="page-text">{text}</p>
        <FilterRow filter log />
        <Loaded remote=entries.first rows=6>
            {move || entries.rows.with(Vec::is_empty).then(|| view! {
                <EmptyState symbol=Icon::Search title=words().no_entries() text=words().no_entries_text() />
            })}
            <ul class="audit" data-testid="audit">
                <For each=move || entries.rows.get() key=|entry| entry.id.inner().to_owned() let:entry>
                    <Entry entry filter />
                </For>
            </ul>
            {move || entries.more.get().map(|_| view! {
                <div class="more">
                    <Button
                        label=words().load_older() busy=entries.busy testid="audit-more"
                        on_press=move |()| entries.load_more(move |error| toasts.fail(error))
                    />
                </div>
            })}
        </Loaded>
    }
}
