//! The network's groups: who is in them, a new one, and writing in them as one of their phones.

use leptos::prelude::*;

use super::{PAUSE_MS, on_change};
use crate::{
    api::sandbox::{self, Group},
    components::{
        button::Button,
        dialog::{Dialog, DialogFoot},
        facts::PhoneNumberText,
        field::{Select, TextField},
        form::{Form, Sending},
        icon::Icon,
        states::Loaded,
        toast::use_toasts,
    },
    state::{phone, remote::Remote, soon::Soon},
    words::words,
};

#[component]
pub fn Groups() -> impl IntoView {
    let create = RwSignal::new(false);
    let write = RwSignal::new(false);
    let chosen = RwSignal::new(None::<Group>);
    let remote = Remote::new(sandbox::groups);
    let soon = Soon::new(PAUSE_MS, move || remote.refresh());
    on_change(move |_| soon.call());
    let groups = Memo::new(move |_| remote.ready().unwrap_or_default());
    let on_write = move |group: Group| {
        chosen.set(Some(group));
        write.set(true);
    };
    view! {
        <section class="section" aria-labelledby="groups">
            <header class="section-head">
                <h2 id="groups">{words().groups()}</h2>
                <Button
                    label=words().create_group() symbol=Icon::Plus testid="create-group"
                    on_press=move |()| create.set(true)
                />
            </header>
            <Loaded remote rows=2>
                {move || if groups.with(Vec::is_empty) {
                    view! { <p class="sub">{words().no_groups()}</p> }.into_any()
                } else {
                    view! { <GroupTable groups on_write /> }.into_any()
                }}
            </Loaded>
            <Dialog open=create title=words().create_group() testid="create-group-dialog">
                <CreateForm open=create remote />
            </Dialog>
            <Dialog open=write title=words().write_in_group() testid="write-in-group-dialog">
                {move || chosen.get().map(|group| view! { <WriteForm open=write group /> })}
            </Dialog>
        </section>
    }
}

#[component]
fn GroupTable(groups: Memo<Vec<Group>>, #[prop(into)] on_write: Callback<Group>) -> impl IntoView {
    let row = move |group: Group| {
        let numbers = group.participants.iter().enumerate().map(|(place, number)| {
            let separated = (place > 0).then_some(" · ");
            view! { {separated}<PhoneNumberText number=number.0.clone() /> }
        });
        let numbers = numbers.collect_view();
        let subject = group.subject.clone();
        view! {
            <tr data-testid="group-row">
                <td class="lead">{subject}</td>
                <td data-label=words().participants()><span class="sub">{numbers}</span></td>
                <td class="actions-cell">
                    <Button label=words().write() testid="group-write" on_press=move |()| on_write.run(group.clone()) />
                </td>
            </tr>
        }
    };
    view! {
        <table class="table cards" data-testid="groups">
            <thead>
                <tr>
                    <th scope="col">{words().group_name()}</th>
                    <th scope="col">{words().participants()}</th>
                    <th><span class="visually-hidden">{words().write()}</span></th>
                </tr>
            </thead>
            <tbody>
                <For each=move || groups.get() key=|group| (group.jid.0.clone(), group.subject.clone(), group.participants.len()) let:group>
                    {row(group)}
                </For>
            </tbody>
        </table>
    }
}

/// Made anew at each opening.
#[component]
fn CreateForm(open: RwSignal<bool>, remote: Remote<Vec<Group>>) -> impl IntoView {
    let subject = RwSignal::new(String::new());
    let owner = RwSignal::new(String::new());
    let others = RwSignal::new(String::new());
    let sending = Sending::new();
    let submit = move |()| {
        let typed = others.get_untracked();
        let numbers = typed
            .split([',', ';'])
            .map(str::trim)
            .filter(|number| !number.is_empty());
        let numbers = numbers.map(phone::typed).collect();
        let name = subject.get_untracked().trim().to_owned();
        if name.is_empty() {
            return;
        }
        let request = sandbox::create_group(phone::typed(&owner.get_untracked()), name, numbers);
        sending.send(request, move |_| {
            open.set(false);
            remote.refresh();
        });
    };
    view! {
        <Form sending fields=&[] on_submit=submit>
            <TextField
                id="group-name" label=words().group_name() value=subject max_length=100 required=true autofocus=true
            />
            <TextField
                id="group-owner" label=words().made_by() value=owner kind="tel" input_mode="tel" required=true
                placeholder="+62 812 3456 7890" hint=words().made_by_hint()
            />
            <TextField
                id="group-others" label=words().other_participants() value=others placeholder="+62 812 …, +62 813 …"
                hint=words().other_participants_hint()
            />
            <DialogFoot open verb=words().create() busy=sending.busy testid="create-group-submit" />
        </Form>
    }
}

/// Made anew at each opening.
#[component]
fn WriteForm(open: RwSignal<bool>, group: Group) -> impl IntoView {
    let toasts = use_toasts();
    let numbers = group.participants.iter().map(|number| number.0.clone());
    let options: Vec<(String, String)> = numbers
        .map(|number| (number.clone(), phone::grouped(&number)))
        .collect();
    let from = RwSignal::new(options.first().map(|(number, _)| number.clone()).unwrap_or_default());
    let text = RwSignal::new(String::new());
    let subject = group.subject.clone();
    let sending = Sending::new();
    let submit = move |()| {
        let body = text.get_untracked().trim().to_owned();
        if body.is_empty() {
            return;
        }
        let request = sandbox::send_to_group(from.get_untracked(), group.jid.clone(), body);
        sending.send(request, move |_| {
            open.set(false);
            toasts.say(words().written_in_group());
        });
    };
    view! {
        <Form sending fields=&[] on_submit=submit>
            <p>{subject}</p>
            <Select
                id="group-from" label=words().write_from() options=Signal::stored(options) value=from
                on_change=move |number| from.set(number)
            />
            <TextField id="group-text" label=words().message() value=text required=true autofocus=true />
            <DialogFoot open verb=words().send() busy=sending.busy testid="group-send" />
        </Form>
    }
}
