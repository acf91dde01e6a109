//! Who belongs to the tenant, and who is invited.

mod invitations;
mod roles;

use leptos::prelude::*;

use super::SettingsFrame;
use crate::{
    api::{
        account::{Permission, Role},
        members::{self, Member},
    },
    components::{
        button::{Button, Kind},
        dialog::Confirm,
        facts::Timestamp,
        field::Select,
        icon::{Icon, icon},
        menu::{Item, Menu},
        states::Loaded,
        toast::use_toasts,
    },
    state::{remote::Remote, session::use_session},
    words::words,
};
use invitations::Invitations;
use roles::RolesTable;

const ROLES: [(&str, Role); 4] = [
    ("OWNER", Role::Owner),
    ("ADMIN", Role::Admin),
    ("AGENT", Role::Agent),
    ("ANALYST", Role::Analyst),
];

fn key_of(role: Role) -> String {
    let known = ROLES.iter().find(|(_, known)| *known == role);
    known.map_or_else(String::new, |(key, _)| (*key).to_owned())
}

fn role_of(key: &str) -> Role {
    let known = ROLES.iter().find(|(known, _)| *known == key);
    known.map_or(Role::Agent, |(_, role)| *role)
}

/// The roles that the viewer may give.
fn choices(with_owner: bool) -> Vec<(String, String)> {
    let given = ROLES.iter().filter(|(_, role)| with_owner || *role != Role::Owner);
    given
        .map(|(key, role)| ((*key).to_owned(), words().role_name(*role).to_owned()))
        .collect()
}

#[component]
pub fn MembersPage() -> impl IntoView {
    let may_manage = use_session().may(Permission::ManageMembers);
    let inviting = RwSignal::new(false);
    let members = Remote::new(members::members);
    view! {
        <SettingsFrame>
            <header class="page-head">
                <h1>{words().members()}</h1>
                {may_manage.then(|| view! {
                    <Button
                        label=words().invite_member() kind=Kind::Primary symbol=Icon::Plus testid="invite"
                        on_press=move |()| inviting.set(true)
                    />
                })}
            </header>
            <p class="page-text">{words().members_text()}</p>
            <Loaded remote=members rows=3>
                <table class="table cards" data-testid="members">
                    <thead><tr>
                        <th scope="col">{words().person()}</th>
                        <th scope="col">{words().role()}</th>
                        <th scope="col">{words().joined()}</th>
                        <th scope="col"><span class="visually-hidden">{words().actions()}</span></th>
                    </tr></thead>
                    <tbody>
                        {move || members.ready().unwrap_or_default().into_iter().map(|row| view! {
                            <MemberRow row members />
                        }).collect_view()}
                    </tbody>
                </table>
            </Loaded>
            {may_manage.then(|| view! { <Invitations inviting /> })}
            <RolesTable />
        </SettingsFrame>
    }
}

#[component]
fn MemberRow(row: Member, members: Remote<Vec<Member>>) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let owners = session.may(Permission::ManageOwners);
    let may_change = session.may(Permission::ManageMembers) && (owners || row.role != Role::Owner);
    let myself = session.user_id().as_deref() == Some(row.user.id.inner());
    let (asking, busy) = (RwSignal::new(false), RwSignal::new(false));
    let (id, name, email) = (StoredValue::new(row.id.clone()), row.user.name, row.user.email);
    let called = StoredValue::new(name.clone());
    let change = move |key: String| {
        let wanted = role_of(&key);
        let request = async move {
            let answer = members::change_role(id.get_value(), wanted).await;
            if answer.is_err() {
                // The choice shows the role as it still is.
                members.refresh();
            }
            answer
        };
        toasts.attempt(busy, request, move |member| {
            toasts.say(words().role_changed(&called.get_value(), member.role));
            // What one may do oneself is drawn anew with the viewer.
            if myself { session.resume() } else { members.refresh() }
        });
    };
    let remove = move |()| {
        toasts.attempt(busy, members::remove(id.get_value()), move |_| {
            let _ = asking.try_set(false);
            if myself { session.resume() } else { members.refresh() }
        });
    };
    let (verb, title, consequence) = if myself {
        (
            words().leave_tenant(),
            words().leave_tenant_title().to_owned(),
            words().leave_tenant_text().to_owned(),
        )
    } else {
        (
            words().remove_member(),
            words().remove_member_title(&name),
            words().remove_member_text(&email),
        )
    };
    let items = Signal::derive(move || {
        vec![
            Item::new(verb, move || asking.set(true))
                .symbol(if myself { Icon::LogOut } else { Icon::Trash })
                .danger(),
        ]
    });
    view! {
        <tr data-testid="member" data-email=email.clone()>
            <td class="lead">
                <strong>{name.clone()}</strong>
                <span class="sub">{email.clone()} {myself.then(|| view! { <span class="tag">{words().you()}</span> })}</span>
            </td>
            <td class="choice-cell">
                {if may_change {
                    view! {
                        <Select
                            id=format!("role-{}", row.id.inner()) label=words().role_of(&name) label_hidden=true
                            value=Signal::stored(key_of(row.role)) options=Signal::stored(choices(owners)) on_change=change
                        />
                    }.into_any()
                } else {
                    words().role_name(row.role).into_any()
                }}
            </td>
            <td data-label=words().joined()><Timestamp at=row.joined_at /></td>
            <td class="actions-cell">
                {(may_change || myself).then(|| view! {
                    <Menu name=words().actions_of(&name) items testid="member-actions">{icon(Icon::More)}</Menu>
                    <Confirm open=asking title consequence verb busy on_confirm=remove />
                })}
            </td>
        </tr>
    }
}
