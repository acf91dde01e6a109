//! The audit log: who did what, filtered in the address, page by page, and as a file.

mod entry;
mod filter;
pub mod list;

use leptos::prelude::*;

use super::SettingsFrame;
use crate::words::words;
use list::{AuditList, Log};

#[component]
pub fn AuditPage() -> impl IntoView {
    view! { <SettingsFrame><AuditList log=Log::Tenant text=words().audit_log_text() /></SettingsFrame> }
}
