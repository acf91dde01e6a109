//! What is set once and looked at sometimes: of the tenant, and of the person who is signed in.

pub mod members;

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
    let pages = [("/settings/members", words().members(), Some(Permission::ReadMembers))];
    let links = pages
        .into_iter()
        .filter(|(_, _, needed)| needed.is_none_or(|needed| session.may(needed)))
        .map(|(href, label, _)| (href, label))
        .collect();
    let groups = vec![Group {
        name: tenant.unwrap_or_default(),
        links,
    }];
    view! { <Sections name=words().settings() groups>{children()}</Sections> }
}
