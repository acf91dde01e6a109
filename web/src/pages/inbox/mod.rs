//! The inbox: chats at the left, the conversation beside them; one pane at a time when narrow.

mod bubble;
mod chat_list;
mod composer;
mod conversation;
mod details;
mod mentioning;
mod new_chat;
mod preview;
mod text;
mod thread;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::{
    components::{icon::Icon, states::EmptyState},
    words::words,
};
use chat_list::ChatList;
use conversation::Conversation;
use new_chat::NewChatDialog;

#[component]
pub fn InboxPage() -> impl IntoView {
    let params = use_params_map();
    let chat = Memo::new(move |_| params.with(|params| params.get("chat").filter(|chat| !chat.is_empty())));
    let query = use_query_map();
    let new_chat = RwSignal::new(false);
    let asked = Memo::new(move |_| query.with(|query| query.get("new").is_some()));
    Effect::new(move |_| {
        if asked.get() {
            new_chat.set(true);
        }
    });
    let device = Memo::new(move |_| query.with(|query| query.get("device").filter(|device| !device.is_empty())));
    view! {
        <div class="inbox" class:reading=move || chat.with(Option::is_some)>
            <ChatList chat device on_new=move |()| new_chat.set(true) />
            <section class="pane" aria-label=words().conversation()>
                {move || match chat.get() {
                    Some(id) => view! { <Conversation id /> }.into_any(),
                    None => view! {
                        <EmptyState symbol=Icon::Inbox title=words().choose_chat() text=words().choose_chat_text() />
                    }.into_any(),
                }}
            </section>
            <NewChatDialog open=new_chat device />
        </div>
    }
}
