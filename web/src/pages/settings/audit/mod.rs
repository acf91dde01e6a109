//! The audit log: who did what, filtered in the address, page by page, and as a file.

mod entry;
mod filter;

use leptos::prelude::*;

use super::SettingsFrame;
use crate::{
    api::audit::{self, AuditEntry},
    components::{
        button::Button,
        icon::Icon,
        states::{EmptyState, Loaded},
        toast::use_toasts,
    },
    state::paged::{self, Paged},
    words::words,
};
use entry::Entry;
use filter::{Filter, FilterRow};

const PAGE_SIZE: i32 = 50;

#[component]
pub fn AuditPage() -> impl IntoView {
    let toasts = use_toasts();
    let filter = Filter::of_address();
    let entries: Paged<AuditEntry> = Paged::new(move |after| {
        let wanted = filter.wanted();
        async move {
            let page = audit::list(wanted, PAGE_SIZE, after).await?;
            Ok((page.nodes, paged::next(page.page_info)))
        }
    });
    view! {
        <SettingsFrame>
            <header class="page-head">
                <h1>{words().audit_log()}</h1>
                <a class="button" href=move || filter.csv_address() rel="external" download="audit-log.csv" data-testid="audit-csv">
                    {words().export_csv()}
                </a>
            </header>
            <p class="page-text">{words().audit_log_text()}</p>
            <FilterRow filter />
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
        </SettingsFrame>
    }
}
