//! Accepting an invitation: with a new account, or with the one that the person has.

use leptos::{prelude::*, task::spawn_local};

use super::{go_in, secret};
use crate::{
    api::members::{self, InvitationOffer},
    components::{
        button::{Button, Kind},
        field::TextField,
        form::{Form, Sending},
        password_field::PasswordField,
        states::{EmptyState, Loaded},
        toast::use_toasts,
    },
    pages::login::LoginForm,
    state::{
        remote::Remote,
        session::{Stage, use_session},
    },
    words::words,
};

#[component]
pub fn InvitationPage() -> impl IntoView {
    let token = StoredValue::new(secret());
    let offer = Remote::new(move || members::offer(token.get_value()));
    view! {
        <main class="login">
            <div class="login-card" data-testid="invitation">
                <p class="wordmark" aria-hidden="true">"Kabar"</p>
                <Loaded remote=offer rows=3>
                    {move || match offer.ready().flatten() {
                        None => view! {
                            <EmptyState
                                title=words().invitation_over() text=words().invitation_over_text() whole_page=true
                            />
                        }.into_any(),
                        Some(offer) => view! { <Offered token offer /> }.into_any(),
                    }}
                </Loaded>
            </div>
        </main>
    }
}

#[component]
fn Offered(token: StoredValue<String>, offer: InvitationOffer) -> impl IntoView {
    let session = use_session();
    let signed_in = (session.stage.get_untracked() == Stage::SignedIn)
        .then(|| session.email())
        .flatten();
    let next = match signed_in {
        Some(email) if email == offer.email => view! { <Known token /> }.into_any(),
        Some(email) => view! { <SomebodyElse email /> }.into_any(),
        None if offer.has_account => view! {
            <p>{words().sign_in_to_join()}</p>
            <LoginForm email=offer.email.clone() />
        }
        .into_any(),
        None => view! { <Newcomer token email=offer.email.clone() /> }.into_any(),
    };
    view! {
        <div class="stack">
            <div>
                <h1>{words().invited_to(&offer.tenant_name)}</h1>
                <p class="sub">{words().invited_as(&offer.email, offer.role)}</p>
            </div>
            {next}
        </div>
    }
}

#[component]
fn Newcomer(token: StoredValue<String>, email: String) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let known = Signal::derive(move || vec![email.clone(), name.get()]);
    let password = RwSignal::new(String::new());
    let sending = Sending::new();
    let submit = move |()| {
        let request = members::come_in(token.get_value(), name.get_untracked(), password.get_untracked());
        sending.send(request, |()| go_in());
    };
    view! {
        <Form sending fields=&["name", "password"] on_submit=submit testid="invitation-form">
            <TextField
                id="your-name" label=words().your_name() value=name autocomplete="name" error=sending.fault("name")
                required=true autofocus=true max_length=120
            />
            <PasswordField
                id="new-password" label=words().choose_password() value=password error=sending.fault("password") known
            />
            <Button label=words().come_in() kind=Kind::Primary busy=sending.busy testid="come-in" />
        </Form>
    }
}

#[component]
fn Known(token: StoredValue<String>) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let accept = move |()| {
        let request = async move {
            let tenant = members::accept_invitation(token.get_value()).await?;
            session.switch_tenant(tenant).await
        };
        toasts.attempt(busy, request, |()| go_in());
    };
    view! { <Button label=words().come_in() kind=Kind::Primary busy testid="come-in" on_press=accept /> }
}

#[component]
fn SomebodyElse(email: String) -> impl IntoView {
    let session = use_session();
    let leave = move |()| spawn_local(session.sign_out());
    view! {
        <p>{words().signed_in_as_other(&email)}</p>
        <Button label=words().sign_out() on_press=leave testid="sign-out-first" />
    }
}
