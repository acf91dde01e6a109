//! A quick look at one message: every step it took, its ids, why it failed.

use leptos::prelude::*;

use super::{
    bubble::failure,
    thread::{Entry, Thread},
};
use crate::{
    api::messages::{Direction, Message},
    components::{
        badge::Ticks,
        dialog::Dialog,
        facts::{Fact, IdText, PhoneNumberText},
    },
    state::format,
    words::words,
};

#[component]
pub fn DetailsDrawer(thread: Thread, shown: RwSignal<Option<String>>) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        if shown.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move |before: Option<bool>| {
        let now = open.get();
        if before == Some(true) && !now {
            shown.set(None);
        }
        now
    });
    let message = Memo::new(move |_| {
        let id = shown.get()?;
        let row = thread
            .rows
            .list
            .with(|list| list.iter().find(|(known, _)| *known == id).map(|(_, row)| row.clone()))?;
        match row.get() {
            Entry::Stored(message) => Some(*message),
            Entry::Pending { .. } => None,
        }
    });
    view! {
        <Dialog open title=words().message_details() class="drawer" testid="message-details">
            {move || message.get().map(facts)}
        </Dialog>
    }
}

fn facts(message: Message) -> impl IntoView {
    let party = if message.direction == Direction::Out {
        message.recipient.clone()
    } else {
        Some(message.sender.clone())
    };
    let number = party.and_then(|party| party.phone_number).map(|number| number.0);
    view! {
        <ol class="timeline">
            {message.status_history.iter().map(|change| view! {
                <li>
                    <span><Ticks status=change.status /></span>
                    <span>{words().message_status(change.status)}</span>
                    <time title=format::exact(change.at)>{format::time_with_seconds(change.at)}</time>
                </li>
            }).collect_view()}
        </ol>
        {failure(&message).map(|reason| view! { <p class="form-error">{reason}</p> })}
        <dl class="facts">
            <Fact term=words().status()>{words().message_status(message.status)}</Fact>
            {number.map(|number| view! {
                <Fact term=words().phone_number()><PhoneNumberText number /></Fact>
            })}
            <Fact term=words().attempts()>{format::number(message.attempts)}</Fact>
            <Fact term=words().created()>{format::exact(message.created_at)}</Fact>
            <Fact term="ID"><IdText id=message.id.inner().to_owned() /></Fact>
            <Fact term=words().whatsapp_id()><IdText id=message.whatsapp_id.clone() /></Fact>
        </dl>
    }
}
