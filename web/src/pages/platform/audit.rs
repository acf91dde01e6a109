//! The audit log of every tenant and of the platform.

use leptos::prelude::*;

use super::PlatformFrame;
use crate::{
    pages::settings::audit::list::{AuditList, Log},
    words::words,
};

#[component]
pub fn PlatformAuditPage() -> impl IntoView {
    view! { <PlatformFrame><AuditList log=Log::Platform text=words().platform_audit_text() /></PlatformFrame> }
}
