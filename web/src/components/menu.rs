//! A menu that opens from a button: arrows move, Esc closes, focus returns.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, Node};

use super::icon::{Icon, icon};

/// One thing to choose.
#[derive(Clone)]
pub struct Item {
    pub label: String,
    pub symbol: Option<Icon>,
    pub danger: bool,
    /// Among several, whether this one is in force.
    pub chosen: Option<bool>,
    pub on_choose: Callback<()>,
}

impl Item {
    pub fn new(label: impl Into<String>, on_choose: impl Fn() + Send + Sync + 'static) -> Self {
        let on_choose = Callback::new(move |()| on_choose());
        Self {
            label: label.into(),
            symbol: None,
            danger: false,
            chosen: None,
            on_choose,
        }
    }

    pub fn symbol(mut self, symbol: Icon) -> Self {
        self.symbol = Some(symbol);
        self
    }

    pub fn danger(mut self) -> Self {
        self.danger = true;
        self
    }

    pub fn chosen(mut self, chosen: bool) -> Self {
        self.chosen = Some(chosen);
        self
    }
}

#[component]
pub fn Menu(
    /// What the button is called.
    #[prop(into)]
    name: String,
    #[prop(into)] items: Signal<Vec<Item>>,
    #[prop(default = "icon-button")] class: &'static str,
    #[prop(optional)] testid: &'static str,
    /// What the button shows.
    children: Children,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let root = NodeRef::<html::Div>::new();
    let button = NodeRef::<html::Button>::new();
    let list = NodeRef::<html::Div>::new();
    let entries = move || -> Vec<HtmlElement> {
        let Some(list) = list.get_untracked() else {
            return Vec::new();
        };
        let children = list.children();
        (0..children.length())
            .filter_map(|index| children.item(index)?.dyn_into().ok())
            .collect()
    };
    let focus = move |step: i32| {
        let entries = entries();
        let active = document().active_element();
        let at = entries.iter().position(|entry| active.as_ref() == Some(entry.as_ref()));
        let count = entries.len();
        if count == 0 {
            return;
        }
        let next = match (at, step) {
            (Some(at), 1) => (at + 1) % count,
            (Some(at), _) => (at + count - 1) % count,
            (None, _) => 0,
        };
        let _ = entries[next].focus();
    };
    let close = move || {
        open.set(false);
        if let Some(button) = button.get_untracked() {
            let _ = button.focus();
        }
    };
    Effect::new(move |_| {
        if open.get() && list.get().is_some() {
            focus(1);
        }
    });
    let outside = window_event_listener(ev::mousedown, move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
        let inside = root
            .try_get_untracked()
            .flatten()
            .is_some_and(|root| root.contains(target.as_ref()));
        if !inside {
            let _ = open.try_set(false);
        }
    });
    on_cleanup(move || outside.remove());
    let keys = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "ArrowDown" => {
            event.prevent_default();
            focus(1);
        }
        "ArrowUp" => {
            event.prevent_default();
            focus(-1);
        }
        "Escape" if open.get_untracked() => {
            event.stop_propagation();
            close();
        }
        "Tab" => open.set(false),
        _ => {}
    };
    view! {
        <div class="menu" node_ref=root on:keydown=keys>
            <button
                node_ref=button type="button" class=class aria-haspopup="menu" title=name.clone() aria-label=name.clone()
                aria-expanded=move || if open.get() { "true" } else { "false" } data-testid=testid
                on:click=move |_| open.update(|open| *open = !*open)
            >
                {children()}
            </button>
            <Show when=move || open.get()>
                <div class="menu-list" role="menu" node_ref=list>
                    {move || items.get().into_iter().map(|item| {
                        let role = if item.chosen.is_some() { "menuitemradio" } else { "menuitem" };
                        let checked = item.chosen.map(|chosen| if chosen { "true" } else { "false" });
                        view! {
                            <button
                                type="button" role=role class="menu-item" class:danger=item.danger aria-checked=checked
                                tabindex="-1"
                                on:click=move |_| {
                                    close();
                                    item.on_choose.run(());
                                }
                            >
                                {item.symbol.map(icon)}
                                <span>{item.label}</span>
                                {(item.chosen == Some(true)).then(|| icon(Icon::Check))}
                            </button>
                        }
                    }).collect_view()}
                </div>
            </Show>
        </div>
    }
}
