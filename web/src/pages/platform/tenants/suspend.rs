//! Suspending a tenant, with the reason that its members read.

use leptos::prelude::*;

use crate::{
    api::platform::tenants::{self, PlatformTenant},
    components::{
        button::{Button, Kind},
        dialog::Dialog,
        field::TextField,
        form::{Form, Sending},
        toast::use_toasts,
    },
    words::words,
};

#[component]
pub fn SuspendDialog(
    open: RwSignal<bool>,
    tenant: StoredValue<PlatformTenant>,
    changed: Callback<()>,
) -> impl IntoView {
    let title = tenant.with_value(|tenant| words().suspend_tenant(&tenant.name));
    view! {
        <Dialog open title testid="suspend-dialog"><SuspendForm open tenant changed /></Dialog>
    }
}

#[component]
fn SuspendForm(open: RwSignal<bool>, tenant: StoredValue<PlatformTenant>, changed: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let reason = RwSignal::new(String::new());
    let sending = Sending::new();
    let submit = move |()| {
        let id = tenant.with_value(|tenant| tenant.id.clone());
        let said = Some(reason.get_untracked().trim().to_owned()).filter(|reason| !reason.is_empty());
        sending.send(tenants::suspend(id, said), move |tenant| {
            open.set(false);
            toasts.say(words().tenant_suspended(&tenant.name));
            changed.run(());
        });
    };
    view! {
        <Form sending fields=&["reason"] on_submit=submit>
            <p>{words().suspend_text()}</p>
            <TextField
                id="suspend-reason" label=words().suspension_reason() value=reason error=sending.fault("reason")
                hint=words().suspension_reason_hint() max_length=500 autofocus=true
            />
            <footer class="dialog-foot">
                <Button label=words().cancel() on_press=move |()| open.set(false) />
                <Button label=words().suspend() kind=Kind::Danger busy=sending.busy testid="suspend-submit" />
            </footer>
        </Form>
    }
}
