//! What can go wrong with a phone's linked devices, on demand.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::sandbox::{self, SandboxDisruptionInput, SandboxNackInput},
    components::{
        button::{Button, Kind},
        field::TextField,
        toast::use_toasts,
    },
    words::words,
};

#[component]
pub fn Disruptions(number: String) -> impl IntoView {
    let toasts = use_toasts();
    let number = StoredValue::new(number);
    let after = RwSignal::new("1".to_owned());
    let nacks = RwSignal::new("1".to_owned());
    let code = RwSignal::new("463".to_owned());
    let refusing = RwSignal::new(false);
    let disrupt = Callback::new(move |disruption: SandboxDisruptionInput| {
        spawn_local(async move {
            match sandbox::disrupt(number.get_value(), disruption).await {
                Ok(_) => toasts.say(words().disrupted()),
                Err(error) => toasts.fail(&error),
            }
        });
    });
    let read = |field: RwSignal<String>| field.get_untracked().trim().parse().unwrap_or(1);
    view! {
        <section class="card" aria-labelledby="disruptions">
            <h2 id="disruptions">{words().disruptions()}</h2>
            <p class="hint">{words().disruptions_text()}</p>
            <div class="row-actions disruption-buttons">
                <Button
                    label=words().drop_socket() testid="drop-socket"
                    on_press=move |()| disrupt.run(SandboxDisruptionInput::DropSocket(true))
                />
                <Button
                    label=words().replace_stream()
                    on_press=move |()| disrupt.run(SandboxDisruptionInput::StreamReplaced(true))
                />
                <Button
                    label=Signal::derive(move || {
                        if refusing.get() { words().accept_connections() } else { words().refuse_connections() }.to_owned()
                    })
                    on_press=move |()| {
                        refusing.update(|refusing| *refusing = !*refusing);
                        disrupt.run(SandboxDisruptionInput::RefuseConnections(refusing.get_untracked()));
                    }
                />
                <Button
                    label=words().log_out_linked() kind=Kind::Danger testid="sandbox-log-out"
                    on_press=move |()| disrupt.run(SandboxDisruptionInput::LogOut(true))
                />
            </div>
            <form
                class="inline-form"
                on:submit=move |event| {
                    event.prevent_default();
                    disrupt.run(SandboxDisruptionInput::DropSocketAfterMessages(read(after)));
                }
            >
                <TextField id="drop-after" label=words().drop_after() value=after input_mode="numeric" />
                <Button label=words().set() />
            </form>
            <form
                class="inline-form"
                on:submit=move |event| {
                    event.prevent_default();
                    let nack = SandboxNackInput { count: read(nacks), code: read(code) };
                    disrupt.run(SandboxDisruptionInput::NackNext(nack));
                }
            >
                <TextField id="nack-count" label=words().nack_next() value=nacks input_mode="numeric" />
                <TextField id="nack-code" label=words().with_code() value=code input_mode="numeric" />
                <Button label=words().set() />
            </form>
        </section>
    }
}
