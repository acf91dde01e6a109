//! What is set once and looked at sometimes: of the tenant, and of the person who is signed in.

pub mod account;
pub mod audit;
pub mod general;
pub mod members;
pub mod tokens;
pub mod usage;

use leptos::prelude::*;

use crate::{
    api::account::Permission,
    components::sections::{Group, Sections},
    state::session::use_session,
    words::words,
};

/// The frame of every settings page: the way to the others, as far as the role may go there.
#[component]
pub fn SettingsFrame(children: Children) -> impl IntoView {
    let session = use_session();
    let tenant = session
        .viewer
        .with_untracked(|viewer| viewer.as_ref().map(|viewer| viewer.tenant.name.clone()));
    let pages = [
        ("/settings/general", words().tenant_settings(), None),
        ("/settings/members", words().members(), Some(Permission::ReadMembers)),
        (
            "/settings/tokens",
            words().api_tokens(),
            Some(Permission::ManageApiTokens),
        ),
        ("/settings/usage", words().usage(), None),
        ("/settings/audit", words().audit_log(), Some(Permission::ReadAuditLog)),
    ];
    let links = pages
        .into_iter()
        .filter(|(_, _, needed)| needed.is_none_or(|needed| session.may(needed)))
        .map(|(href, label, _)| (href, label))
        .collect();
    let groups = vec![
        Group {
            name: tenant.unwrap_or_default(),
            links,
        },
        Group {
            name: words().your_account().to_owned(),
            links: vec![("/settings/account", words().signing_in())],
        },
    ];
    view! { <Sections name=words().settings() groups>{children()}</Sections> }
}
