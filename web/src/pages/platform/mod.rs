//! The pages of those who run the platform.

pub mod audit;
mod limit_fields;
pub mod plans;
pub mod settings;
pub mod tenants;

use leptos::prelude::*;

use crate::{
    components::sections::{Group, Sections},
    words::words,
};

#[component]
pub fn PlatformFrame(children: Children) -> impl IntoView {
    let groups = vec![Group {
        name: words().operator_pages().to_owned(),
        links: vec![
            ("/platform/tenants", words().tenants()),
            ("/platform/plans", words().plans()),
            ("/platform/audit", words().audit_log()),
            ("/platform/settings", words().platform_settings()),
        ],
    }];
    view! { <Sections name=words().operator_pages() groups>{children()}</Sections> }
}
