//! Making a tenant with its first owner.

use leptos::prelude::*;

use super::chosen;
use crate::{
    api::platform::tenants::{self, CreateTenantInput},
    components::{
        dialog::{Dialog, DialogFoot},
        field::{Select, TextField},
        form::{Form, Sending},
        region::own_time_zone,
        secret::SecretDialog,
        toast::use_toasts,
    },
    words::words,
};

#[component]
pub fn CreateDialog(
    open: RwSignal<bool>,
    plans: Signal<Vec<(String, String)>>,
    changed: Callback<()>,
) -> impl IntoView {
    // The owner's password, while it is shown for the only time.
    let password = RwSignal::new(None::<String>);
    view! {
        <Dialog open title=words().create_tenant() testid="create-tenant-dialog">
            <CreateForm open plans password changed />
        </Dialog>
        <SecretDialog secret=password title=words().owner_password() text=words().owner_password_text() />
    }
}

/// Made anew at each opening.
#[component]
fn CreateForm(
    open: RwSignal<bool>,
    plans: Signal<Vec<(String, String)>>,
    password: RwSignal<Option<String>>,
    changed: Callback<()>,
) -> impl IntoView {
    let toasts = use_toasts();
    let (name, email, plan) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    let sending = Sending::new();
    let submit = move |()| {
        let input = CreateTenantInput {
            name: name.get_untracked().trim().to_owned(),
            owner_email: email.get_untracked().trim().to_owned(),
            plan_id: chosen(plan),
            time_zone: own_time_zone(),
        };
        sending.send(tenants::create(input), move |(tenant, secret)| {
            open.set(false);
            toasts.say(words().tenant_created(&tenant.name));
            password.set(secret);
            changed.run(());
        });
    };
    view! {
        <Form sending fields=&["name", "ownerEmail"] on_submit=submit>
            <TextField
                id="new-tenant-name" label=words().tenant_name() value=name error=sending.fault("name") required=true
                autofocus=true max_length=120
            />
            <TextField
                id="new-tenant-owner" label=words().owner_email() value=email error=sending.fault("ownerEmail")
                hint=words().owner_email_hint() kind="email" required=true
            />
            <Select
                id="new-tenant-plan" label=words().plan() options=plans value=plan
                on_change=move |chosen| plan.set(chosen)
            />
            <DialogFoot open verb=words().create() busy=sending.busy testid="create-tenant-submit" />
        </Form>
    }
}
