//! Creating a device; linking it is the next page.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::form::{DeviceFields, Form};
use crate::{
    api::devices::{self, CreateDeviceInput},
    components::{
        button::{Button, Kind},
        dialog::Dialog,
    },
    words::words,
};

#[component]
pub fn CreateDialog(open: RwSignal<bool>) -> impl IntoView {
    let navigate = use_navigate();
    let form = Form::new(None);
    let busy = RwSignal::new(false);
    let submit = Callback::new(move |()| {
        if busy.get_untracked() || !form.check() {
            return;
        }
        busy.set(true);
        let input = CreateDeviceInput {
            name: form.name(),
            key: form.key(),
            remark: form.remark(),
            tags: Some(form.tags()),
        };
        let navigate = navigate.clone();
        spawn_local(async move {
            let answer = devices::create(input).await;
            busy.set(false);
            match answer {
                Ok(device) => {
                    open.set(false);
                    navigate(&format!("/devices/{}", device.id.inner()), NavigateOptions::default());
                }
                Err(error) => form.error.set(Some(error)),
            }
        });
    });
    view! {
        <Dialog open title=words().create_device() testid="create-device-dialog">
            <form
                class="stack" novalidate=true
                on:submit=move |event| {
                    event.prevent_default();
                    submit.run(());
                }
            >
                <DeviceFields form />
                <footer class="dialog-foot">
                    <Button label=words().cancel() on_press=move |()| open.set(false) />
                    <Button label=words().create() kind=Kind::Primary busy testid="create-device-submit" />
                </footer>
            </form>
        </Dialog>
    }
}
