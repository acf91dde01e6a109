//! A linked device: the celebration when it just happened, and the ways on.

use leptos::prelude::*;

use crate::{
    api::devices::Device,
    components::{
        button::{ButtonLink, Kind},
        facts::PhoneNumberText,
        icon::{Icon, icon},
    },
    words::words,
};

#[component]
pub fn LinkedCard(device: Signal<Device>, celebrated: RwSignal<bool>) -> impl IntoView {
    let (id, unread) = device.with_untracked(|device| (device.id.inner().to_owned(), device.unread_count));
    let unread = Memo::new(move |_| device.try_with(|device| device.unread_count).unwrap_or(unread));
    let chats = format!("/inbox?device={id}");
    let write = format!("/inbox?device={id}&new=1");
    view! {
        <section class="card linked" class:celebrated=celebrated data-testid="linked">
            <Show when=move || celebrated.get()>
                <p class="celebration" role="status" data-testid="celebration">
                    <span class="celebration-mark">{icon(Icon::Check)}</span>
                    {words().celebration()}
                </p>
            </Show>
            <div class="linked-account">
                <span class="avatar large" aria-hidden="true">{icon(Icon::Phone)}</span>
                <div>
                    <p class="linked-name">
                        {move || device.with(|device| device.push_name.clone().unwrap_or_else(|| device.name.clone()))}
                    </p>
                    {move || device.with(|device| device.phone_number.clone()).map(|number| view! {
                        <PhoneNumberText number=number.0 />
                    })}
                </div>
            </div>
            <div class="row-actions">
                <ButtonLink href=write label=words().new_chat() kind=Kind::Primary symbol=Icon::Send />
                <ButtonLink href=chats label=words().open_chats() symbol=Icon::Inbox />
                {move || (unread.get() > 0).then(|| view! { <span class="sub">{words().unread_messages(unread.get())}</span> })}
            </div>
        </section>
    }
}
