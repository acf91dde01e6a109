//! The palette: go anywhere, find a device or chat by name, do something, without leaving the keyboard.

use gloo_timers::callback::Timeout;
use leptos::{ev, html, prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::icon::{Icon, icon};
use crate::{
    api::{
        account::Permission,
        chats::{self, ChatFilter},
        devices::{self, DeviceFilter},
    },
    state::{
        preferences::{Preferences, Theme},
        session::{Session, use_session},
    },
    words::{Language, words},
};

const SEARCH_PAUSE_MS: u32 = 150;

#[derive(Clone, PartialEq)]
enum Deed {
    Go(String),
    Theme(Theme),
    Language(Language),
    Help,
    SignOut,
}

#[derive(Clone, PartialEq)]
struct Hit {
    group: &'static str,
    label: String,
    detail: String,
    symbol: Icon,
    deed: Deed,
}

fn go(group: &'static str, label: impl Into<String>, symbol: Icon, path: impl Into<String>) -> Hit {
    Hit {
        group,
        label: label.into(),
        detail: String::new(),
        symbol,
        deed: Deed::Go(path.into()),
    }
}

fn fixed(session: Session) -> Vec<Hit> {
    let (pages, actions) = (words().pages(), words().actions());
    let act = |label: &str, symbol, deed| Hit {
        group: actions,
        label: label.into(),
        detail: String::new(),
        symbol,
        deed,
    };
    let mut hits = vec![
        go(pages, words().overview(), Icon::Home, "/"),
        go(pages, words().inbox(), Icon::Inbox, "/inbox"),
        go(pages, words().devices(), Icon::Phone, "/devices"),
        go(pages, words().activity(), Icon::Activity, "/activity"),
        go(pages, words().tenant_settings(), Icon::Settings, "/settings/general"),
        go(pages, words().members(), Icon::Settings, "/settings/members"),
        go(pages, words().usage(), Icon::Settings, "/settings/usage"),
        go(pages, words().signing_in(), Icon::Settings, "/settings/account"),
    ];
    if session.may(Permission::ManageApiTokens) {
        hits.push(go(pages, words().api_tokens(), Icon::Key, "/settings/tokens"));
    }
    if session.may(Permission::ReadAuditLog) {
        hits.push(go(pages, words().audit_log(), Icon::Settings, "/settings/audit"));
    }
    if session.is_operator() {
        hits.push(go(pages, words().tenants(), Icon::Building, "/platform/tenants"));
        hits.push(go(pages, words().plans(), Icon::Layers, "/platform/plans"));
        hits.push(go(
            pages,
            words().platform_settings(),
            Icon::Settings,
            "/platform/settings",
        ));
    }
    if session.sandbox.get() {
        hits.push(go(pages, words().sandbox(), Icon::Flask, "/sandbox"));
    }
    hits.push(go(actions, words().create_device(), Icon::Plus, "/devices?new=1"));
    hits.push(go(actions, words().new_chat(), Icon::Inbox, "/inbox?new=1"));
    for theme in Theme::ALL {
        hits.push(act(&words().theme(theme), Icon::Settings, Deed::Theme(theme)));
    }
    for language in Language::ALL {
        hits.push(act(language.name(), Icon::Settings, Deed::Language(language)));
    }
    hits.push(act(words().shortcuts(), Icon::Help, Deed::Help));
    hits.push(act(words().sign_out(), Icon::LogOut, Deed::SignOut));
    hits
}

async fn find(text: String) -> Vec<Hit> {
    let filter = DeviceFilter {
        text: Some(text.clone()),
        ..DeviceFilter::default()
    };
    let chat_filter = ChatFilter {
        text: Some(text),
        unread: None,
    };
    let (devices, chats) = futures::join!(devices::list(filter, 5, None), chats::list(None, chat_filter, 6, None));
    // What cannot be searched now is not offered; the fixed entries still are.
    let devices = devices
        .map(|page| page.nodes)
        .unwrap_or_default()
        .into_iter()
        .map(|device| Hit {
            detail: words().device_status(device.status).to_owned(),
            ..go(
                words().devices(),
                device.name,
                Icon::Phone,
                format!("/devices/{}", device.id.inner()),
            )
        });
    let chats = chats
        .map(|page| page.nodes)
        .unwrap_or_default()
        .into_iter()
        .map(|chat| Hit {
            detail: chat.device.name,
            ..go(
                words().chats(),
                chat.name,
                Icon::Inbox,
                format!("/inbox/{}", chat.id.inner()),
            )
        });
    devices.chain(chats).collect()
}

#[component]
pub fn Palette(open: RwSignal<bool>, #[prop(into)] on_help: Callback<()>) -> impl IntoView {
    let session = use_session();
    let preferences = expect_context::<Preferences>();
    let navigate = use_navigate();
    let dialog = NodeRef::<html::Dialog>::new();
    let text = RwSignal::new(String::new());
    let found = RwSignal::new(Vec::<Hit>::new());
    let at = RwSignal::new(0_usize);
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if open.get() && !dialog.open() {
            text.set(String::new());
            found.set(Vec::new());
            at.set(0);
            let _ = dialog.show_modal();
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    Effect::new(move |_| {
        let wanted = text.get();
        at.set(0);
        if wanted.trim().is_empty() {
            found.set(Vec::new());
            return;
        }
        Timeout::new(SEARCH_PAUSE_MS, move || {
            if text.try_get_untracked().as_ref() == Some(&wanted) {
                spawn_local(async move {
                    let hits = find(wanted.trim().to_owned()).await;
                    if text.try_get_untracked() == Some(wanted) {
                        found.set(hits);
                    }
                });
            }
        })
        .forget();
    });
    let hits = Memo::new(move |_| {
        let wanted = text.get().trim().to_lowercase();
        let mut hits = fixed(session);
        hits.retain(|hit| {
            wanted
                .split_whitespace()
                .all(|word| hit.label.to_lowercase().contains(word))
        });
        hits.extend(found.get());
        hits
    });
    let run = move |hit: Hit| {
        open.set(false);
        match hit.deed {
            Deed::Go(path) => navigate(&path, NavigateOptions::default()),
            Deed::Theme(theme) => preferences.set_theme(theme),
            Deed::Language(language) => preferences.set_language(language),
            Deed::Help => on_help.run(()),
            Deed::SignOut => spawn_local(session.sign_out()),
        }
    };
    let run = Callback::new(run);
    let keys = move |event: ev::KeyboardEvent| {
        let count = hits.with_untracked(Vec::len);
        match event.key().as_str() {
            "ArrowDown" if count > 0 => at.update(|at| *at = (*at + 1) % count),
            "ArrowUp" if count > 0 => at.update(|at| *at = (*at + count - 1) % count),
            "Enter" => {
                if let Some(hit) = hits.with_untracked(|hits| hits.get(at.get_untracked()).cloned()) {
                    run.run(hit);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <dialog
            node_ref=dialog class="palette" aria-label=words().jump_to() data-testid="palette"
            on:close=move |_| open.set(false)
            on:mousedown=move |event| {
                if dialog.get().is_some_and(|dialog| event.target().as_ref() == Some(dialog.as_ref())) {
                    open.set(false);
                }
            }
        >
            <Show when=move || open.get()>
                <div class="palette-box">
                    <label class="palette-input">
                        {icon(Icon::Search)}
                        <span class="visually-hidden">{words().jump_to()}</span>
                        <input
                            type="text" role="combobox" aria-expanded="true" aria-controls="palette-hits" autofocus=true
                            autocomplete="off" spellcheck="false" placeholder=words().palette_hint()
                            aria-activedescendant=move || format!("hit-{}", at.get())
                            prop:value=text
                            on:input=move |event| text.set(event_target_value(&event))
                            on:keydown=keys
                        />
                    </label>
                    <div class="palette-hits" role="listbox" id="palette-hits" aria-label=words().results()>
                        {move || {
                            let mut group = "";
                            hits.get().into_iter().enumerate().map(|(index, hit)| {
                                let heading = (hit.group != group).then(|| {
                                    group = hit.group;
                                    view! { <p class="palette-group" role="presentation">{hit.group}</p> }
                                });
                                let chosen = hit.clone();
                                view! {
                                    {heading}
                                    <div
                                        class="palette-hit" role="option" id=format!("hit-{index}")
                                        aria-selected=move || if at.get() == index { "true" } else { "false" }
                                        on:mousemove=move |_| if at.get_untracked() != index { at.set(index) }
                                        on:click=move |_| run.run(chosen.clone())
                                    >
                                        {icon(hit.symbol)}
                                        <span>{hit.label}</span>
                                        <span class="palette-detail">{hit.detail}</span>
                                    </div>
                                }
                            }).collect_view()
                        }}
                        <Show when=move || hits.with(Vec::is_empty)>
                            <p class="palette-none">{words().nothing_found()}</p>
                        </Show>
                    </div>
                </div>
            </Show>
        </dialog>
    }
}
