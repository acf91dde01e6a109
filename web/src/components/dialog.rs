//! Dialogs on the browser's own `<dialog>`, which keeps focus inside, closes on Esc and gives focus back.

use leptos::{ev, html, prelude::*};

use super::{
    button::{Button, IconButton, Kind},
    field::TextField,
    icon::Icon,
};
use crate::words::words;

/// A dialog, open while `open` is. Its content exists only while it is open.
#[component]
pub fn Dialog(
    open: RwSignal<bool>,
    #[prop(into)] title: String,
    #[prop(optional)] testid: &'static str,
    #[prop(optional)] class: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if open.get() && !dialog.open() {
            // Fails only for a dialog that is not in the page.
            let _ = dialog.show_modal();
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    let children = StoredValue::new(children);
    let title = StoredValue::new(title);
    view! {
        <dialog
            node_ref=dialog class=format!("dialog {class}") data-testid=testid
            aria-label=title.get_value()
            on:close=move |_| open.set(false)
            on:mousedown=move |event: ev::MouseEvent| {
                let inside = dialog.get().is_some_and(|dialog| event.target().as_ref() != Some(dialog.as_ref()));
                if !inside {
                    open.set(false);
                }
            }
        >
            <Show when=move || open.get()>
                <div class="dialog-box">
                    <header class="dialog-head">
                        <h2>{title.get_value()}</h2>
                        <IconButton symbol=Icon::Close name=words().close() on_press=move |()| open.set(false) />
                    </header>
                    {children.with_value(|children| children())}
                </div>
            </Show>
        </dialog>
    }
}

/// The end of a form in a dialog: leaving it, or sending it.
#[component]
pub fn DialogFoot(
    open: RwSignal<bool>,
    #[prop(into)] verb: String,
    #[prop(into)] busy: Signal<bool>,
    testid: &'static str,
) -> impl IntoView {
    view! {
        <footer class="dialog-foot">
            <Button label=words().cancel() on_press=move |()| open.set(false) />
            <Button label=verb kind=Kind::Primary busy testid />
        </footer>
    }
}

/// Asks before something dangerous. Where data is lost, the name must be typed.
#[component]
pub fn Confirm(
    open: RwSignal<bool>,
    #[prop(into)] title: String,
    #[prop(into)] consequence: String,
    #[prop(into)] verb: String,
    #[prop(optional, into)] type_name: Option<String>,
    #[prop(into)] busy: Signal<bool>,
    #[prop(into)] on_confirm: Callback<()>,
) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let name = StoredValue::new(type_name);
    let consequence = StoredValue::new(consequence);
    let verb = StoredValue::new(verb);
    let ready = Memo::new(move |_| name.with_value(|name| name.as_ref().is_none_or(|name| typed.get().trim() == name)));
    Effect::new(move |_| {
        if !open.get() {
            typed.set(String::new());
        }
    });
    view! {
        <Dialog open title testid="confirm">
            <form
                class="stack"
                on:submit=move |event| {
                    event.prevent_default();
                    if ready.get_untracked() && !busy.get_untracked() {
                        on_confirm.run(());
                    }
                }
            >
                <p>{consequence.get_value()}</p>
                {name.get_value().map(|name| view! {
                    <TextField id="confirm-name" label=words().type_to_confirm(&name) value=typed autofocus=true />
                })}
                <footer class="dialog-foot">
                    <Button label=words().cancel() on_press=move |()| open.set(false) />
                    <Button
                        label=verb.get_value() kind=Kind::Danger busy=busy testid="confirm-submit"
                        disabled=Signal::derive(move || !ready.get())
                    />
                </footer>
            </form>
        </Dialog>
    }
}
