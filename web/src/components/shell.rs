//! The frame around every page: navigation, live dot, the banner when the feed is away.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    components::A,
    hooks::{use_location, use_navigate},
};

use super::{
    access_banner::AccessBanner,
    button::{Button, IconButton, Kind},
    icon::{Icon, icon},
    menu::{Item, Menu},
    palette::Palette,
    shortcuts::{self, ShortcutsDialog},
    tenant_switcher::TenantSwitcher,
};
use crate::{
    api::socket::Connection,
    state::{
        format,
        live::{self, use_live},
        preferences::{self, Preferences, Theme},
        session::use_session,
        totals::{Totals, use_totals},
    },
    words::{Language, words},
};

const COLLAPSED: &str = "kabar-sidebar-collapsed";

#[component]
pub fn Shell(children: Children) -> impl IntoView {
    Totals::provide();
    let collapsed = RwSignal::new(preferences::read(COLLAPSED).is_some_and(|kept| kept == "yes"));
    let palette = RwSignal::new(false);
    let help = RwSignal::new(false);
    shortcuts::listen(palette, help);
    let collapse = move |()| {
        collapsed.update(|collapsed| *collapsed = !*collapsed);
        preferences::write(COLLAPSED, if collapsed.get_untracked() { "yes" } else { "no" });
    };
    view! {
        <div class="shell" class:collapsed=collapsed>
            <aside class="sidebar">
                <a class="skip-link" href="#content" rel="external">{words().skip_to_content()}</a>
                <div class="sidebar-top">
                    <TenantSwitcher />
                    <IconButton symbol=Icon::PanelLeft name=words().collapse_sidebar() on_press=collapse />
                </div>
                <button class="jump" type="button" on:click=move |_| palette.set(true) data-testid="open-palette">
                    {icon(Icon::Search)}
                    <span>{words().jump_to()}</span>
                    <kbd>{if shortcuts::is_mac() { "⌘K" } else { "Ctrl K" }}</kbd>
                </button>
                <Navigation />
                <div class="sidebar-bottom">
                    <LiveDot />
                    <AccountMenu on_help=move |()| help.set(true) />
                </div>
            </aside>
            <div class="main">
                <DisconnectedBanner />
                <SuspendedBanner />
                <AccessBanner />
                <main id="content" tabindex="-1">{children()}</main>
            </div>
            <BottomBar on_help=move |()| help.set(true) />
        </div>
        <Palette open=palette on_help=move |()| help.set(true) />
        <ShortcutsDialog open=help />
    }
}

#[component]
fn NavigationLink(
    href: &'static str,
    symbol: Icon,
    label: &'static str,
    #[prop(optional, into)] count: Signal<i32>,
    #[prop(optional)] alarming: bool,
) -> impl IntoView {
    let location = use_location();
    // Pages below an address belong to it; the first page is only itself.
    let current = Memo::new(move |_| {
        let path = location.pathname.get();
        if href == "/" {
            path == "/"
        } else {
            path == href || path.starts_with(&format!("{href}/"))
        }
    });
    view! {
        <A href=href attr:class="nav-link" attr:title=label attr:data-current=move || current.get().then_some("")>
            {icon(symbol)}
            <span class="nav-label">{label}</span>
            {move || (count.get() > 0).then(|| view! {
                <span class="nav-count" class:alarming=alarming>{format::number(count.get())}</span>
            })}
        </A>
    }
}

#[component]
fn Navigation() -> impl IntoView {
    let session = use_session();
    let totals = use_totals();
    view! {
        <nav class="navigation" aria-label=words().navigation()>
            <NavigationLink href="/" symbol=Icon::Home label=words().overview() />
            <NavigationLink href="/inbox" symbol=Icon::Inbox label=words().inbox() count=totals.unread() />
            <NavigationLink
                href="/devices" symbol=Icon::Phone label=words().devices() count=totals.attention() alarming=true
            />
            <NavigationLink href="/activity" symbol=Icon::Activity label=words().activity() />
            <NavigationLink href="/settings" symbol=Icon::Settings label=words().settings() />
            {session.is_operator().then(|| view! {
                <p class="nav-group">{words().running_kabar()}</p>
                <NavigationLink href="/platform" symbol=Icon::Building label=words().operator_pages() />
            })}
            <Show when=move || session.sandbox.get()>
                <p class="nav-group">{words().testing()}</p>
                <NavigationLink href="/sandbox" symbol=Icon::Flask label=words().sandbox() />
            </Show>
        </nav>
    }
}

/// The five things one needs on a phone.
#[component]
fn BottomBar(#[prop(into)] on_help: Callback<()>) -> impl IntoView {
    let session = use_session();
    let totals = use_totals();
    view! {
        <nav class="bottom-bar" aria-label=words().navigation()>
            <NavigationLink href="/" symbol=Icon::Home label=words().overview() />
            <NavigationLink href="/inbox" symbol=Icon::Inbox label=words().inbox() count=totals.unread() />
            <NavigationLink
                href="/devices" symbol=Icon::Phone label=words().devices() count=totals.attention() alarming=true
            />
            <Show
                when=move || session.sandbox.get()
                fallback=|| view! { <NavigationLink href="/activity" symbol=Icon::Activity label=words().activity() /> }
            >
                <NavigationLink href="/sandbox" symbol=Icon::Flask label=words().sandbox() />
            </Show>
            <AccountMenu on_help />
        </nav>
    }
}

#[component]
fn LiveDot() -> impl IntoView {
    let live = use_live();
    let name = move || match live.connection.get() {
        Connection::Live => words().live(),
        Connection::Connecting => words().connecting(),
        Connection::Waiting | Connection::Stopped => words().not_live(),
    };
    view! {
        <span
            class="live" data-testid="live" data-live=move || format!("{:?}", live.connection.get())
            class:on=move || live.connection.get() == Connection::Live title=name
        >
            <span class="dot" aria-hidden="true"></span>
            <span class="nav-label">{name}</span>
        </span>
    }
}

/// Quiet, and only after the feed has been away for a while.
#[component]
fn DisconnectedBanner() -> impl IntoView {
    let live = use_live();
    let away = RwSignal::new(false);
    Effect::new(move |_| {
        if live.connection.get() == Connection::Live {
            away.set(false);
        } else {
            gloo_timers::callback::Timeout::new(2_500, move || {
                let still = live
                    .connection
                    .try_get_untracked()
                    .is_some_and(|now| now != Connection::Live);
                let _ = away.try_set(still);
            })
            .forget();
        }
    });
    view! {
        <div role="status" aria-live="polite">
            <Show when=move || away.get()>
                <div class="banner" data-testid="disconnected">
                    {icon(Icon::Unlink)}
                    <span>{words().disconnected_banner()}</span>
                    <Button label=words().reconnect() kind=Kind::Quiet on_press=move |()| live::hurry() />
                </div>
            </Show>
        </div>
    }
}

/// Says on every page that the tenant may not act, and why.
#[component]
fn SuspendedBanner() -> impl IntoView {
    let suspension = use_totals().suspension();
    view! {
        <div role="status" aria-live="polite">
            {move || suspension.get().map(|standing| view! {
                <div class="banner" data-testid="suspended">
                    {icon(Icon::Warning)}
                    <span>
                        <strong>{words().suspended_title()}</strong> ". " {words().suspended_text()} " "
                        {standing.suspension_reason.map(|reason| view! { <q>{reason}</q> })}
                    </span>
                </div>
            })}
        </div>
    }
}

/// Who is signed in; language, theme, shortcuts, signing out.
#[component]
fn AccountMenu(#[prop(into)] on_help: Callback<()>) -> impl IntoView {
    let session = use_session();
    let preferences = expect_context::<Preferences>();
    let name = session
        .viewer
        .with_untracked(|viewer| Some(viewer.as_ref()?.user.as_ref()?.name.clone()));
    let email = session
        .viewer
        .with_untracked(|viewer| Some(viewer.as_ref()?.user.as_ref()?.email.clone()));
    let name = name.filter(|name| !name.is_empty()).or(email).unwrap_or_default();
    let initial: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    let navigate = use_navigate();
    let items = Signal::derive(move || {
        let go = navigate.clone();
        let to_settings = move || go("/settings", NavigateOptions::default());
        let mut items = vec![Item::new(words().settings(), to_settings).symbol(Icon::Settings)];
        if session.is_operator() {
            let navigate = navigate.clone();
            let to_platform = move || navigate("/platform", NavigateOptions::default());
            items.push(Item::new(words().operator_pages(), to_platform).symbol(Icon::Building));
        }
        for language in Language::ALL {
            let chosen = preferences.language.get() == language;
            items.push(Item::new(language.name(), move || preferences.set_language(language)).chosen(chosen));
        }
        for theme in Theme::ALL {
            let chosen = preferences.theme.get() == theme;
            items.push(Item::new(words().theme(theme), move || preferences.set_theme(theme)).chosen(chosen));
        }
        items.push(Item::new(words().shortcuts(), move || on_help.run(())).symbol(Icon::Help));
        let leave = move || spawn_local(session.sign_out());
        items.push(Item::new(words().sign_out(), leave).symbol(Icon::LogOut));
        items
    });
    view! {
        <Menu name=words().account_of(&name) items class="account" testid="account-menu">
            <span class="avatar" aria-hidden="true" data-initial=initial></span>
            <span class="nav-label">{name}</span>
        </Menu>
    }
}
