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
        icon::Icon,
        states::{EmptyState, Loaded},
        windowed::{MoreRows, Windowed, windowed},
    },
    state::{
        paged::{Page, Paged},
        rows::Row,
    },
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
    let filter = Filter::of_address();
    let entries = Paged::new(
        |entry: &AuditEntry| entry.id.inner().to_owned(),
        move || (filter.whose(), filter.wanted()),
        move |(whose, wanted), after| async move {
            let page = match log {
                Log::Tenant => audit::list(wanted, PAGE_SIZE, after).await?,
                Log::Platform => platform::audit::list(whose, wanted, PAGE_SIZE, after).await?,
            };
            Ok(Page::new(page.nodes, page.page_info))
        },
    );
    let draw = move |(_, entry): Row<AuditEntry>| view! { <Entry entry=entry.get_untracked() filter /> }.into_any();
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
            {move || entries.empty.get().then(|| view! {
                <EmptyState symbol=Icon::Search title=words().no_entries() text=words().no_entries_text() />
            })}
            <ul class="audit" data-testid="audit" use:windowed=Windowed::paged(entries, draw)></ul>
            <MoreRows list=entries label=words().load_older() testid="audit-more" />
        </Loaded>
    }
}
