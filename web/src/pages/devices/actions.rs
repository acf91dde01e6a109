//! What can be done to a device, and the questions before what cannot be undone.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::form::{DeviceFields, Form};
use crate::{
    api::devices::{self, Action, Device, DeviceStatus, UpdateDeviceInput},
    components::{
        button::{Button, Kind},
        dialog::{Confirm, Dialog},
        icon::{Icon, icon},
        menu::{Item, Menu},
        toast::use_toasts,
    },
    state::{remote::Remote, session::use_session},
    words::words,
};

#[component]
pub fn Actions(remote: Remote<Option<Device>>, device: Signal<Device>) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let navigate = use_navigate();
    let busy = RwSignal::new(None::<Action>);
    let deleting = RwSignal::new(false);
    let (edit, ask_logout, ask_wipe, ask_delete) = (
        RwSignal::new(false),
        RwSignal::new(false),
        RwSignal::new(false),
        RwSignal::new(false),
    );
    let act = Callback::new(move |action: Action| {
        if busy.get_untracked().is_some() {
            return;
        }
        busy.set(Some(action));
        let id = device.with_untracked(|device| device.id.clone());
        spawn_local(async move {
            let answer = devices::act(action, id).await;
            busy.set(None);
            match answer {
                Ok(device) => {
                    ask_logout.set(false);
                    ask_wipe.set(false);
                    remote.patch(|known| *known = Some(device));
                    toasts.say(words().device_done(action));
                }
                Err(error) => toasts.fail(&error),
            }
        });
    });
    let delete = Callback::new(move |()| {
        deleting.set(true);
        let (id, name) = device.with_untracked(|device| (device.id.clone(), device.name.clone()));
        let navigate = navigate.clone();
        spawn_local(async move {
            let answer = devices::delete(id).await;
            match answer {
                Ok(_) => {
                    toasts.say(words().device_deleted(&name));
                    navigate("/devices", NavigateOptions::default());
                }
                Err(error) => {
                    deleting.set(false);
                    toasts.fail(&error);
                }
            }
        });
    });
    let state = Memo::new(move |_| device.with(|device| (device.status, device.is_linked())));
    let items = Signal::derive(move || {
        let (status, linked) = state.get();
        let mut items = vec![Item::new(words().edit(), move || edit.set(true)).symbol(Icon::Settings)];
        if linked || status.is_linking() || status == DeviceStatus::Connecting {
            items.push(Item::new(words().restart(), move || act.run(Action::Restart)).symbol(Icon::Refresh));
        }
        if linked {
            items.push(
                Item::new(words().log_out_device(), move || ask_logout.set(true))
                    .symbol(Icon::Unlink)
                    .danger(),
            );
        }
        items.push(
            Item::new(words().wipe(), move || ask_wipe.set(true))
                .symbol(Icon::Close)
                .danger(),
        );
        items.push(
            Item::new(words().delete(), move || ask_delete.set(true))
                .symbol(Icon::Trash)
                .danger(),
        );
        items
    });
    if !session.may_manage() {
        return ().into_any();
    }
    let name = device.with_untracked(|device| device.name.clone());
    view! {
        <div class="row-actions">
            {move || {
                let (status, linked) = state.get();
                let up = status.is_up() || status.is_linking() || status == DeviceStatus::Connecting;
                if up {
                    let label = if linked { words().disconnect() } else { words().stop_linking() };
                    view! {
                        <Button
                            label busy=Signal::derive(move || busy.get() == Some(Action::Disconnect))
                            on_press=move |()| act.run(Action::Disconnect) testid="disconnect"
                        />
                    }.into_any()
                } else if linked {
                    view! {
                        <Button
                            label=words().connect() kind=Kind::Primary testid="connect"
                            busy=Signal::derive(move || busy.get() == Some(Action::Connect))
                            on_press=move |()| act.run(Action::Connect)
                        />
                    }.into_any()
                } else {
                    ().into_any()
                }
            }}
            <Menu name=words().more_actions() items testid="device-menu" class="button icon-only">{icon(Icon::More)}</Menu>
        </div>
        <EditDialog open=edit remote device />
        <Confirm
            open=ask_logout title=words().log_out_title(&name) consequence=words().log_out_consequence()
            verb=words().log_out_device() busy=Signal::derive(move || busy.get().is_some())
            on_confirm=move |()| act.run(Action::Logout)
        />
        <Confirm
            open=ask_wipe title=words().wipe_title(&name) consequence=words().wipe_consequence() verb=words().wipe()
            busy=Signal::derive(move || busy.get().is_some()) on_confirm=move |()| act.run(Action::Wipe)
        />
        <Confirm
            open=ask_delete title=words().delete_title(&name) consequence=words().delete_consequence()
            verb=words().delete() type_name=name.clone() busy=deleting on_confirm=delete
        />
    }
    .into_any()
}

#[component]
fn EditDialog(open: RwSignal<bool>, remote: Remote<Option<Device>>, device: Signal<Device>) -> impl IntoView {
    view! {
        <Dialog open title=words().edit_device() testid="edit-device-dialog">
            <EditForm open remote device />
        </Dialog>
    }
}

/// Made anew at each opening, so that it begins with the device as it is.
#[component]
fn EditForm(open: RwSignal<bool>, remote: Remote<Option<Device>>, device: Signal<Device>) -> impl IntoView {
    let toasts = use_toasts();
    let form = device.with_untracked(|device| Form::new(Some(device)));
    let busy = RwSignal::new(false);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || !form.check() {
            return;
        }
        busy.set(true);
        let input = UpdateDeviceInput {
            id: device.with_untracked(|device| device.id.clone()),
            name: Some(form.name()),
            key: form.key(),
            remark: form.remark(),
            tags: Some(form.tags()),
        };
        spawn_local(async move {
            let answer = devices::update(input).await;
            busy.set(false);
            match answer {
                Ok(device) => {
                    open.set(false);
                    remote.patch(|known| *known = Some(device));
                    toasts.say(words().saved());
                }
                Err(error) => form.error.set(Some(error)),
            }
        });
    };
    view! {
        <form class="stack" on:submit=submit novalidate=true>
            <DeviceFields form />
            <footer class="dialog-foot">
                <Button label=words().cancel() on_press=move |()| open.set(false) />
                <Button label=words().save() kind=Kind::Primary busy testid="edit-device-submit" />
            </footer>
        </form>
    }
}
