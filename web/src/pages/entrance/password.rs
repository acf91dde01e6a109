//! A forgotten password: asking for a link, and following it.

use leptos::prelude::*;

use super::{go_in, secret};
use crate::{
    api::password_reset,
    components::{
        button::{Button, Kind},
        field::TextField,
        form::{Form, Sending},
        password_field::PasswordField,
        states::{EmptyState, Loaded},
    },
    state::remote::Remote,
    words::words,
};

/// Asks where to send a link.
#[component]
pub fn ForgottenPasswordPage() -> impl IntoView {
    let email = RwSignal::new(String::new());
    let sending = Sending::new();
    // Whether mails are sent, once it was asked for.
    let asked = RwSignal::new(None::<bool>);
    let submit = move |()| {
        let request = password_reset::request(email.get_untracked().trim().to_owned());
        sending.send(request, move |mails| asked.set(Some(mails)));
    };
    view! {
        <main class="login">
            <div class="login-card" data-testid="forgotten-password">
                <h1>{words().forgotten_password()}</h1>
                {move || match asked.get() {
                    Some(true) => view! { <p role="status">{words().reset_mailed()}</p> }.into_any(),
                    Some(false) => view! { <p role="status">{words().reset_not_mailed()}</p> }.into_any(),
                    None => view! {
                        <Form sending fields=&["email"] on_submit=submit>
                            <TextField
                                id="email" label=words().email() value=email kind="email" input_mode="email"
                                autocomplete="username" error=sending.fault("email") required=true autofocus=true
                            />
                            <Button
                                label=words().send_link() kind=Kind::Primary busy=sending.busy testid="request-reset"
                            />
                        </Form>
                    }.into_any(),
                }}
                <a class="text-button" href="/" rel="external">{words().back_to_sign_in()}</a>
            </div>
        </main>
    }
}

/// Sets a new password by a link.
#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    let token = StoredValue::new(secret());
    let offer = Remote::new(move || password_reset::offer(token.get_value()));
    view! {
        <main class="login">
            <div class="login-card" data-testid="password-reset">
                <Loaded remote=offer rows=2>
                    {move || match offer.ready().flatten() {
                        None => view! {
                            <EmptyState title=words().link_over() text=words().link_over_text() whole_page=true>
                                <a class="button" href="/forgotten-password" rel="external">{words().forgotten_password()}</a>
                            </EmptyState>
                        }.into_any(),
                        Some(offer) => view! { <ResetForm token email=offer.email /> }.into_any(),
                    }}
                </Loaded>
            </div>
        </main>
    }
}

#[component]
fn ResetForm(token: StoredValue<String>, email: String) -> impl IntoView {
    let password = RwSignal::new(String::new());
    let sending = Sending::new();
    let submit = move |()| {
        let request = password_reset::reset(token.get_value(), password.get_untracked());
        sending.send(request, |()| go_in());
    };
    view! {
        <h1>{words().choose_password()}</h1>
        <p class="sub">{email.clone()}</p>
        <Form sending fields=&["newPassword"] on_submit=submit testid="reset-form">
            <PasswordField
                id="new-password" label=words().new_password() value=password error=sending.fault("newPassword")
                known=Signal::stored(vec![email]) autofocus=true
            />
            <p class="hint">{words().reset_consequence()}</p>
            <Button label=words().save() kind=Kind::Primary busy=sending.busy testid="reset-submit" />
        </Form>
    }
}
