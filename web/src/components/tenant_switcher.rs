//! Which tenant one works in, and the way to another.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;

use super::{
    icon::{Icon, icon},
    menu::{Item, Menu},
    toast::use_toasts,
};
use crate::{state::session::use_session, words::words};

#[component]
pub fn TenantSwitcher() -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let navigate = use_navigate();
    let viewer = session.viewer.get_untracked();
    let name = viewer
        .as_ref()
        .map(|viewer| viewer.tenant.name.clone())
        .unwrap_or_default();
    let current = viewer.as_ref().map(|viewer| viewer.tenant.id.inner().to_owned());
    let memberships = viewer.map(|viewer| viewer.memberships).unwrap_or_default();
    let mark: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    if memberships.len() < 2 {
        return view! {
            <span class="tenant" title=name.clone()>
                <span class="tenant-mark" aria-hidden="true" data-initial=mark></span>
                <span class="nav-label" data-testid="tenant-name">{name.clone()}</span>
            </span>
        }
        .into_any();
    }
    let items = Signal::derive(move || {
        memberships
            .iter()
            .map(|membership| {
                let id = membership.tenant.id.inner().to_owned();
                let chosen = Some(&id) == current.as_ref();
                let navigate = navigate.clone();
                let switch = move || {
                    let (id, navigate) = (id.clone(), navigate.clone());
                    if !chosen {
                        spawn_local(async move {
                            // What the address names belongs to the tenant one leaves.
                            match session.switch_tenant(id).await {
                                Ok(()) => navigate("/", leptos_router::NavigateOptions::default()),
                                Err(error) => toasts.fail(&error),
                            }
                        });
                    }
                };
                Item::new(membership.tenant.name.clone(), switch).chosen(chosen)
            })
            .collect::<Vec<_>>()
    });
    view! {
        <Menu name=words().switch_tenant_from(&name) items class="tenant" testid="tenant-switcher">
            <span class="tenant-mark" aria-hidden="true" data-initial=mark></span>
            <span class="nav-label" data-testid="tenant-name">{name}</span>
            {icon(Icon::ChevronDown)}
        </Menu>
    }
    .into_any()
}
