//! Which operators were let into a tenant, and the end of that.

use cynic::Id;
use leptos::prelude::*;

use super::enter::goes_to;
use crate::{
    api::platform::grants::{self, AccessGrant},
    components::{badge::Badge, button::Button, facts::Timestamp, states::Loaded, toast::use_toasts},
    state::{remote::Remote, session::use_session},
    words::words,
};

#[component]
pub fn Grants(tenant: Id) -> impl IntoView {
    let wanted = tenant.clone();
    let remote = Remote::new(move || grants::of_tenant(wanted.clone()));
    let tenant = StoredValue::new(tenant);
    view! {
        <section class="section">
            <h2>{words().access()}</h2>
            <Loaded remote rows=2>
                {move || {
                    let rows = remote.ready().unwrap_or_default();
                    if rows.is_empty() {
                        return view! { <p class="page-text">{words().no_access()}</p> }.into_any();
                    }
                    view! {
                        <table class="table cards" data-testid="grants">
                            <thead><tr>
                                <th scope="col">{words().person()}</th>
                                <th scope="col">{words().status()}</th>
                                <th scope="col">{words().role()}</th>
                                <th scope="col">{words().until()}</th>
                                <th scope="col"><span class="visually-hidden">{words().actions()}</span></th>
                            </tr></thead>
                            <tbody>
                                {rows.into_iter().map(|grant| view! { <GrantRow grant tenant remote /> }).collect_view()}
                            </tbody>
                        </table>
                    }.into_any()
                }}
            </Loaded>
        </section>
    }
}

#[component]
fn GrantRow(grant: AccessGrant, tenant: StoredValue<Id>, remote: Remote<Vec<AccessGrant>>) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let go = StoredValue::new(goes_to());
    let busy = RwSignal::new(false);
    let open = grant.is_open();
    let own = session.user_id().as_deref() == Some(grant.operator_id.inner());
    let id = StoredValue::new(grant.id);
    let end = move |()| {
        toasts.attempt(busy, grants::revoke(id.get_value()), move |_| {
            toasts.say(words().access_ended());
            remote.refresh();
        });
    };
    let enter = move |()| go.with_value(|go| go(session, tenant.get_value().into_inner()));
    let (tone, state) = if open {
        ("warn", words().let_in_now())
    } else {
        ("idle", words().over())
    };
    view! {
        <tr data-testid="grant" data-open=if open { "yes" } else { "no" } class:over=!open>
            <td class="lead wide-lead">
                <strong>{grant.operator_email}</strong>
                <span class="sub"><q>{grant.reason}</q></span>
            </td>
            <td><Badge tone label=Signal::stored(state.to_owned()) /></td>
            <td data-label=words().role()>{words().role_name(grant.role)}</td>
            <td data-label=words().until()><Timestamp at=grant.ended_at.unwrap_or(grant.expires_at) /></td>
            <td class="actions-cell">
                {open.then(|| view! {
                    {own.then(|| view! { <Button label=words().enter() on_press=enter testid="grant-enter" /> " " })}
                    <Button label=words().end_access() busy on_press=end testid="grant-end" />
                })}
            </td>
        </tr>
    }
}
