//! What can be done to a tenant: in its row and on its page.

use leptos::prelude::*;

use super::{edit::EditDialog, enter::EnterDialog, suspend::SuspendDialog};
use crate::{
    api::{
        platform::tenants::{self, PlatformTenant},
        tenancy::TenantStatus,
    },
    components::{
        dialog::Confirm,
        icon::{Icon, icon},
        menu::{Item, Menu},
        toast::use_toasts,
    },
    words::words,
};

pub fn tone(status: TenantStatus) -> &'static str {
    match status {
        TenantStatus::Active => "good",
        TenantStatus::Suspended => "warn",
        TenantStatus::Deleting => "bad",
        TenantStatus::Other => "idle",
    }
}

#[component]
pub fn TenantActions(
    tenant: PlatformTenant,
    plans: Signal<Vec<(String, String)>>,
    changed: Callback<()>,
) -> impl IntoView {
    let toasts = use_toasts();
    let (edit, enter, suspend) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let (delete, busy) = (RwSignal::new(false), RwSignal::new(false));
    let kept = StoredValue::new(tenant.clone());
    let id = move || kept.with_value(|tenant| tenant.id.clone());
    let activate = move || {
        toasts.attempt(busy, tenants::activate(id()), move |tenant| {
            toasts.say(words().tenant_activated(&tenant.name));
            changed.run(());
        });
    };
    let remove = move |()| {
        let slug = kept.with_value(|tenant| tenant.slug.clone());
        toasts.attempt(busy, tenants::delete(id(), slug), move |tenant| {
            let _ = delete.try_set(false);
            toasts.say(words().tenant_deleting(&tenant.name));
            changed.run(());
        });
    };
    let status = tenant.status;
    if status == TenantStatus::Deleting {
        return ().into_any();
    }
    let items = Signal::derive(move || {
        let standing = if status == TenantStatus::Suspended {
            Item::new(words().activate(), activate).symbol(Icon::Check)
        } else {
            Item::new(words().suspend(), move || suspend.set(true))
                .symbol(Icon::Warning)
                .danger()
        };
        vec![
            Item::new(words().enter_tenant(), move || enter.set(true)).symbol(Icon::Key),
            Item::new(words().edit(), move || edit.set(true)).symbol(Icon::Settings),
            standing,
            Item::new(words().delete_tenant(), move || delete.set(true))
                .symbol(Icon::Trash)
                .danger(),
        ]
    });
    view! {
        <Menu name=words().actions_of(&tenant.name) items testid="tenant-actions">{icon(Icon::More)}</Menu>
        <EditDialog open=edit tenant=kept plans changed />
        <EnterDialog open=enter tenant=kept />
        <SuspendDialog open=suspend tenant=kept changed />
        <Confirm
            open=delete title=words().delete_tenant_title(&tenant.name) consequence=words().delete_tenant_text()
            verb=words().delete_tenant() type_name=tenant.slug busy on_confirm=remove
        />
    }
    .into_any()
}
