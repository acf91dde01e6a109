//! Inviting somebody, and what became of the invitations that nobody has accepted yet.

use leptos::prelude::*;

use super::{choices, role_of};
use crate::{
    api::{
        account::Permission,
        members::{self, Invitation},
    },
    components::{
        button::{Button, Kind},
        dialog::{Dialog, DialogFoot},
        facts::Timestamp,
        field::{Select, TextField},
        form::{Form, Sending},
        secret::SecretDialog,
        toast::use_toasts,
    },
    state::{remote::Remote, session::use_session},
    words::words,
};

#[component]
pub fn Invitations(inviting: RwSignal<bool>) -> impl IntoView {
    let link = RwSignal::new(None::<String>);
    let invitations = Remote::new(members::invitations);
    let made = Callback::new(move |text: String| {
        link.set(Some(text));
        invitations.refresh();
    });
    view! {
        {move || invitations.ready().filter(|rows| !rows.is_empty()).map(|rows| view! {
            <section class="section">
                <h2>{words().open_invitations()}</h2>
                <table class="table cards" data-testid="invitations">
                    <thead><tr>
                        <th scope="col">{words().email()}</th>
                        <th scope="col">{words().role()}</th>
                        <th scope="col">{words().valid_until()}</th>
                        <th scope="col"><span class="visually-hidden">{words().actions()}</span></th>
                    </tr></thead>
                    <tbody>
                        {rows.into_iter().map(|row| view! { <InvitationRow row invitations made /> }).collect_view()}
                    </tbody>
                </table>
            </section>
        })}
        <Dialog open=inviting title=words().invite_member() testid="invite-dialog">
            <InviteForm open=inviting made />
        </Dialog>
        <SecretDialog secret=link title=words().invitation_link() text=words().invitation_link_text() />
    }
}

#[component]
fn InvitationRow(row: Invitation, invitations: Remote<Vec<Invitation>>, made: Callback<String>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let (id, email) = (StoredValue::new(row.id), StoredValue::new(row.email.clone()));
    let resend = move |()| toasts.attempt(busy, members::resend(id.get_value()), move |link| made.run(link));
    let take_back = move |()| {
        toasts.attempt(busy, members::revoke_invitation(id.get_value()), move |_| {
            toasts.say(words().taken_back(&email.get_value()));
            invitations.refresh();
        });
    };
    view! {
        <tr data-testid="invitation" data-email=row.email.clone()>
            <td class="lead">{row.email.clone()}</td>
            <td>{words().role_name(row.role)}</td>
            <td data-label=words().valid_until()><Timestamp at=row.expires_at /></td>
            <td class="actions-cell">
                <Button label=words().new_link() kind=Kind::Quiet on_press=resend disabled=busy testid="new-link" />
                <Button label=words().take_back() kind=Kind::Quiet on_press=take_back disabled=busy testid="take-back" />
            </td>
        </tr>
    }
}

/// Made anew at each opening.
#[component]
fn InviteForm(open: RwSignal<bool>, made: Callback<String>) -> impl IntoView {
    let owners = use_session().may(Permission::ManageOwners);
    let email = RwSignal::new(String::new());
    let role = RwSignal::new("AGENT".to_owned());
    let sending = Sending::new();
    let submit = move |()| {
        let address = email.get_untracked().trim().to_owned();
        sending.send(members::invite(address, role_of(&role.get_untracked())), move |link| {
            open.set(false);
            made.run(link);
        });
    };
    view! {
        <Form sending fields=&["email"] on_submit=submit>
            <TextField
                id="invite-email" label=words().email() value=email kind="email" input_mode="email"
                error=sending.fault("email") required=true autofocus=true
            />
            <Select
                id="invite-role" label=words().role() value=role options=Signal::stored(choices(owners))
                on_change=move |key| role.set(key)
            />
            <DialogFoot open verb=words().invite() busy=sending.busy testid="invite-submit" />
        </Form>
    }
}
