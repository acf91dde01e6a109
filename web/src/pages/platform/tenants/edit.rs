//! Changing a tenant: its names, its plan, how its numbers and days are read.

use leptos::prelude::*;

use super::chosen;
use crate::{
    api::platform::tenants::{self, PlatformTenant, UpdateTenantInput},
    components::{
        dialog::{Dialog, DialogFoot},
        facts::IdText,
        field::{Select, TextField},
        form::{Form, Sending},
        region::{LanguageSelect, RegionFields, RegionTexts},
        toast::use_toasts,
    },
    words::words,
};

#[component]
pub fn EditDialog(
    open: RwSignal<bool>,
    tenant: StoredValue<PlatformTenant>,
    plans: Signal<Vec<(String, String)>>,
    changed: Callback<()>,
) -> impl IntoView {
    view! {
        <Dialog open title=words().edit_tenant() testid="edit-tenant-dialog">
            <EditForm open tenant plans changed />
        </Dialog>
    }
}

/// Made anew at each opening, so that it begins with the tenant as it is.
#[component]
fn EditForm(
    open: RwSignal<bool>,
    tenant: StoredValue<PlatformTenant>,
    plans: Signal<Vec<(String, String)>>,
    changed: Callback<()>,
) -> impl IntoView {
    let toasts = use_toasts();
    let known = tenant.get_value();
    let (name, slug) = (RwSignal::new(known.name), RwSignal::new(known.slug));
    let plan = RwSignal::new(known.plan.map(|plan| plan.id.into_inner()).unwrap_or_default());
    let region = RegionTexts::new(&known.default_country, &known.default_language, &known.time_zone);
    let sending = Sending::new();
    let submit = move |()| {
        let input = UpdateTenantInput {
            id: tenant.with_value(|tenant| tenant.id.clone()),
            name: Some(name.get_untracked().trim().to_owned()),
            slug: Some(slug.get_untracked().trim().to_owned()),
            plan_id: chosen(plan),
            default_country: Some(region.country()),
            default_language: Some(region.language.get_untracked()),
            time_zone: Some(region.time_zone()),
        };
        sending.send(tenants::update(input), move |_| {
            open.set(false);
            toasts.say(words().saved());
            changed.run(());
        });
    };
    view! {
        <Form sending fields=&["name", "slug", "defaultCountry", "timeZone"] on_submit=submit>
            <IdText id=known.id.into_inner() />
            <TextField
                id="edit-tenant-name" label=words().tenant_name() value=name error=sending.fault("name") max_length=120
            />
            <TextField
                id="edit-tenant-slug" label=words().short_name() value=slug error=sending.fault("slug")
                hint=words().short_name_hint() max_length=60
            />
            <Select
                id="edit-tenant-plan" label=words().plan() options=plans value=plan
                on_change=move |chosen| plan.set(chosen)
            />
            <RegionFields texts=region sending />
            <LanguageSelect texts=region />
            <DialogFoot open verb=words().save() busy=sending.busy testid="edit-tenant-submit" />
        </Form>
    }
}
