//! Where the person is signed in, and ending that.

use leptos::prelude::*;

use crate::{
    api::sessions::{self, Session},
    components::{
        button::{Button, Kind},
        dialog::Confirm,
        facts::Timestamp,
        states::Loaded,
        toast::use_toasts,
    },
    state::{remote::Remote, session::use_session},
    words::words,
};

#[component]
pub fn Sessions() -> impl IntoView {
    let here = use_session();
    let toasts = use_toasts();
    let (asking, busy) = (RwSignal::new(false), RwSignal::new(false));
    let remote = Remote::new(sessions::list);
    let end_all = move |()| toasts.attempt(busy, sessions::end_all(), move |_| here.leave());
    view! {
        <section class="section">
            <div class="page-head">
                <h2>{words().sessions()}</h2>
                <Button
                    label=words().end_all_sessions() testid="end-all-sessions" on_press=move |()| asking.set(true)
                />
            </div>
            <p class="page-text">{words().sessions_text()}</p>
            <Loaded remote rows=2>
                <table class="table cards" data-testid="sessions">
                    <thead><tr>
                        <th scope="col">{words().client()}</th>
                        <th scope="col">{words().address()}</th>
                        <th scope="col">{words().last_used()}</th>
                        <th scope="col">{words().signed_in_since()}</th>
                        <th scope="col"><span class="visually-hidden">{words().actions()}</span></th>
                    </tr></thead>
                    <tbody>
                        {move || remote.ready().unwrap_or_default().into_iter().map(|session| view! {
                            <SessionRow session remote />
                        }).collect_view()}
                    </tbody>
                </table>
            </Loaded>
            <Confirm
                open=asking title=words().end_all_sessions_title() consequence=words().end_all_sessions_text()
                verb=words().end_all_sessions() busy on_confirm=end_all
            />
        </section>
    }
}

#[component]
fn SessionRow(session: Session, remote: Remote<Vec<Session>>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let id = StoredValue::new(session.id);
    let end = move |()| {
        toasts.attempt(busy, sessions::end(id.get_value()), move |_| {
            toasts.say(words().session_ended());
            remote.refresh();
        });
    };
    view! {
        <tr data-testid="session" data-current=session.current.then_some("")>
            <td class="lead">
                <span title=session.user_agent.clone()>{client(session.user_agent.as_deref())}</span> " "
                {session.current.then(|| view! { <span class="tag">{words().this_session()}</span> })}
            </td>
            <td>{session.address}</td>
            <td data-label=words().last_used()><Timestamp at=session.last_used_at /></td>
            <td data-label=words().signed_in_since()><Timestamp at=session.created_at /></td>
            <td class="actions-cell">
                {(!session.current).then(|| view! {
                    <Button label=words().end_session() kind=Kind::Quiet busy on_press=end testid="end-session" />
                })}
            </td>
        </tr>
    }
}

/// Browsers name each other in what they call themselves; the first of these that is found is the true one.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// What the client is, in words.
fn client(user_agent: Option<&str>) -> String {
    let Some(text) = user_agent.filter(|text| !text.is_empty()) else {
        return words().unknown_client().to_owned();
    };
    let find = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(mark, _)| text.contains(mark))
            .map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => words().client_on(browser, system),
        (Some(browser), None) => browser.to_owned(),
        // Programs begin with their own name.
        (None, _) => text.split_whitespace().next().unwrap_or(text).to_owned(),
    }
}
