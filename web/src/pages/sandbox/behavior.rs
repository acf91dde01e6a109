//! How a phone behaves: switches that take effect at once.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::sandbox::{self, Behavior, Phone, SandboxBehaviorInput, SandboxReplyInput},
    components::{
        button::Button,
        field::{Select, Switch, TextField},
        toast::use_toasts,
    },
    state::remote::Remote,
    words::words,
};

#[component]
pub fn BehaviorCard(detail: Memo<Phone>, remote: Remote<Option<Phone>>) -> impl IntoView {
    let toasts = use_toasts();
    let number = StoredValue::new(detail.with_untracked(|detail| detail.number.0.clone()));
    let behavior = Memo::new(move |_| detail.with(|detail| detail.behavior.clone()));
    let change = Callback::new(move |behavior: SandboxBehaviorInput| {
        spawn_local(async move {
            match sandbox::set_behavior(number.get_value(), behavior).await {
                Ok(phone) => remote.patch(|known| {
                    if let Some(known) = known {
                        known.behavior = phone.behavior;
                        known.online = phone.online;
                    }
                }),
                Err(error) => {
                    toasts.fail(&error);
                    // The switch goes back to what is true.
                    remote.refresh();
                }
            }
        });
    });
    let nothing = SandboxBehaviorInput::default;
    view! {
        <section class="card" aria-labelledby="behavior">
            <h2 id="behavior">{words().behavior()}</h2>
            <div class="switches">
                <Switch
                    id="behaves-online" label=words().online() hint=words().online_hint()
                    on=Signal::derive(move || behavior.with(|behavior| behavior.online))
                    on_change=move |on| change.run(SandboxBehaviorInput { online: Some(on), ..nothing() })
                />
                <Switch
                    id="behaves-delivers" label=words().delivers() hint=words().delivers_hint()
                    on=Signal::derive(move || behavior.with(|behavior| behavior.delivers))
                    on_change=move |on| change.run(SandboxBehaviorInput { delivers: Some(on), ..nothing() })
                />
                <Switch
                    id="behaves-reads" label=words().reads() hint=words().reads_hint()
                    on=Signal::derive(move || behavior.with(|behavior| behavior.reads))
                    on_change=move |on| change.run(SandboxBehaviorInput { reads: Some(on), ..nothing() })
                />
                <Switch
                    id="behaves-on-whatsapp" label=words().on_whatsapp() hint=words().on_whatsapp_hint()
                    on=Signal::derive(move || behavior.with(|behavior| behavior.on_whats_app))
                    on_change=move |on| change.run(SandboxBehaviorInput { on_whatsapp: Some(on), ..nothing() })
                />
            </div>
            <Replies behavior change />
            <Figures behavior change />
        </section>
    }
}

#[component]
fn Replies(behavior: Memo<Behavior>, change: Callback<SandboxBehaviorInput>) -> impl IntoView {
    let kept = behavior.with_untracked(|behavior| behavior.replies.as_ref().and_then(|reply| reply.text.clone()));
    let text = RwSignal::new(kept.unwrap_or_default());
    let of_behavior = move || {
        behavior.with(|behavior| match &behavior.replies {
            Some(reply) if reply.echo => "echo",
            Some(reply) if reply.text.is_some() => "text",
            _ => "none",
        })
    };
    let chosen = RwSignal::new(untrack(of_behavior).to_owned());
    Effect::new(move |_| chosen.set(of_behavior().to_owned()));
    let set = move |replies| {
        change.run(SandboxBehaviorInput {
            replies: Some(replies),
            ..SandboxBehaviorInput::default()
        });
    };
    let choose = move |choice: String| {
        match choice.as_str() {
            "echo" => set(SandboxReplyInput::Echo(true)),
            "none" => set(SandboxReplyInput::None(true)),
            _ => {}
        }
        chosen.set(choice);
    };
    view! {
        <div class="behavior-row">
            <Select
                id="behaves-replies" label=words().auto_reply()
                options=Signal::derive(|| vec![
                    ("none".to_owned(), words().reply_none().to_owned()),
                    ("echo".to_owned(), words().reply_echo().to_owned()),
                    ("text".to_owned(), words().reply_text().to_owned()),
                ])
                value=chosen on_change=choose
            />
            <Show when=move || chosen.get() == "text">
                <form
                    class="inline-form"
                    on:submit=move |event| {
                        event.prevent_default();
                        set(SandboxReplyInput::Text(text.get_untracked()));
                    }
                >
                    <TextField id="behaves-reply-text" label=words().reply_words() value=text />
                    <Button label=words().set() disabled=Signal::derive(move || text.with(|text| text.trim().is_empty())) />
                </form>
            </Show>
        </div>
    }
}

/// What is a number or a list, set together.
#[component]
fn Figures(behavior: Memo<Behavior>, change: Callback<SandboxBehaviorInput>) -> impl IntoView {
    let first = behavior.get_untracked();
    let latency = RwSignal::new(first.latency_ms.to_string());
    let code = RwSignal::new(first.nack_code.map(|code| code.to_string()).unwrap_or_default());
    let blocks = RwSignal::new(first.blocks.join(", "));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let numbers = blocks.get_untracked();
        let numbers = numbers
            .split([',', ' '])
            .filter(|number| !number.is_empty())
            .map(str::to_owned)
            .collect();
        change.run(SandboxBehaviorInput {
            latency_ms: Some(latency.get_untracked().trim().parse().unwrap_or(0)),
            nack_code: Some(code.get_untracked().trim().parse().unwrap_or(0)),
            blocks: Some(numbers),
            ..SandboxBehaviorInput::default()
        });
    };
    view! {
        <form class="behavior-figures" on:submit=submit>
            <TextField id="behaves-latency" label=words().latency() value=latency input_mode="numeric" />
            <TextField id="behaves-nack" label=words().nack_code() value=code input_mode="numeric" placeholder="463" />
            <TextField id="behaves-blocks" label=words().blocks() value=blocks placeholder="+62 …" />
            <Button label=words().set() testid="behavior-set" />
        </form>
    }
}
