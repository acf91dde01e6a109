//! How the tenant is called, and how its numbers, days and new consoles are read.

use leptos::prelude::*;

use super::SettingsFrame;
use crate::{
    api::{
        account::Permission,
        tenancy::{self, TenantUsage, UpdateTenantSettingsInput},
    },
    components::{
        button::{Button, Kind},
        facts::{Fact, IdText},
        field::TextField,
        form::{Form, Sending},
        region::{LanguageSelect, RegionFields, RegionTexts},
        states::Loaded,
        toast::use_toasts,
    },
    state::{remote::Remote, session::use_session},
    words::words,
};

#[component]
pub fn GeneralPage() -> impl IntoView {
    let may_change = use_session().may(Permission::ManageTenant);
    let may_export = use_session().may(Permission::ExportTenant);
    let remote = Remote::new(tenancy::get);
    view! {
        <SettingsFrame>
            <header class="page-head"><h1>{words().tenant_settings()}</h1></header>
            <p class="page-text">{words().settings_text()}</p>
            <Loaded remote rows=4>
                {move || remote.ready().map(|tenant| if may_change {
                    view! { <SettingsForm tenant /> }.into_any()
                } else {
                    view! { <SettingsFacts tenant /> }.into_any()
                })}
            </Loaded>
            {may_export.then(|| view! {
                <section class="section narrow-form">
                    <h2>{words().export_tenant()}</h2>
                    <p class="page-text">{words().export_text()}</p>
                    <a class="button" href="/exports/tenant.zip" rel="external" download="" data-testid="export-tenant">
                        {words().export_download()}
                    </a>
                </section>
            })}
        </SettingsFrame>
    }
}

#[component]
fn SettingsForm(tenant: TenantUsage) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let name = RwSignal::new(tenant.name);
    let region = RegionTexts::new(&tenant.default_country, &tenant.default_language, &tenant.time_zone);
    let sending = Sending::new();
    let submit = move |()| {
        let input = UpdateTenantSettingsInput {
            name: Some(name.get_untracked()),
            default_country: Some(region.country()),
            default_language: Some(region.language.get_untracked()),
            time_zone: Some(region.time_zone()),
        };
        sending.send(tenancy::update(input), move |_| {
            toasts.say(words().saved());
            // The name in the switcher and every time on the pages follow: the console is drawn anew.
            session.resume();
        });
    };
    view! {
        <Form
            sending fields=&["name", "defaultCountry", "defaultLanguage", "timeZone"] on_submit=submit
            class="card stack narrow-form" testid="settings-form"
        >
            <TextField
                id="settings-name" label=words().tenant_name() value=name error=sending.fault("name") max_length=120
                required=true
            />
            <RegionFields texts=region sending />
            <LanguageSelect texts=region />
            <div><Button label=words().save() kind=Kind::Primary busy=sending.busy testid="settings-save" /></div>
        </Form>
        <dl class="facts narrow-form section"><Identity id=tenant.id.into_inner() slug=tenant.slug /></dl>
    }
}

#[component]
fn SettingsFacts(tenant: TenantUsage) -> impl IntoView {
    view! {
        <dl class="facts narrow-form">
            <Fact term=words().tenant_name()>{tenant.name}</Fact>
            <Fact term=words().default_country()>{tenant.default_country}</Fact>
            <Fact term=words().time_zone()>{tenant.time_zone}</Fact>
            <Fact term=words().default_language()>{tenant.default_language}</Fact>
            <Identity id=tenant.id.into_inner() slug=tenant.slug />
        </dl>
    }
}

#[component]
fn Identity(id: String, slug: String) -> impl IntoView {
    view! {
        <Fact term=words().short_name()><code>{slug}</code></Fact>
        <Fact term="ID"><IdText id /></Fact>
    }
}
