//! Signing in.

use leptos::prelude::*;

use crate::{
    api::{
        account::{self, Entrance},
        values::ErrorCode,
    },
    components::{
        button::{Button, Kind},
        field::TextField,
        form::{Form, Sending},
    },
    state::{preferences::Preferences, session::use_session},
    words::{Language, words},
};

#[component]
pub fn LoginPage() -> impl IntoView {
    view! {
        <main class="login">
            <div class="login-card">
                <h1 class="wordmark">"Kabar"</h1>
                <p class="login-title">{words().sign_in_title()}</p>
                <LoginForm />
            </div>
            <LanguageLinks />
        </main>
    }
}

/// Address and password, and a code where it is wanted; the session begins where it stands.
#[component]
pub fn LoginForm(#[prop(optional, into)] email: String) -> impl IntoView {
    let challenge = RwSignal::new(None::<String>);
    let email = StoredValue::new(email);
    move || match challenge.get() {
        Some(token) => view! { <CodeStep token challenge /> }.into_any(),
        None => view! { <PasswordStep email=email.get_value() challenge /> }.into_any(),
    }
}

#[component]
fn PasswordStep(email: String, challenge: RwSignal<Option<String>>) -> impl IntoView {
    let session = use_session();
    let email_known = !email.is_empty();
    let email = RwSignal::new(email);
    let password = RwSignal::new(String::new());
    let sending = Sending::new();
    // A wrong password stands at its field, in the words of this page.
    let wrong = sending.told(ErrorCode::InvalidCredentials, "password", words().wrong_password());
    let submit = move |()| {
        let request = account::login(email.get_untracked().trim().to_owned(), password.get_untracked());
        sending.send(request, move |entrance| match entrance {
            Entrance::In(viewer) => session.enter(*viewer),
            Entrance::Code(token) => challenge.set(Some(token)),
        });
    };
    view! {
        <Form sending fields=&["email", "password"] at_fields=&[ErrorCode::InvalidCredentials] on_submit=submit testid="login-form">
            <TextField
                id="email" label=words().email() value=email kind="email" autocomplete="username" required=true
                autofocus=!email_known error=sending.fault("email") input_mode="email"
            />
            <TextField
                id="password" label=words().password() value=password kind="password"
                autocomplete="current-password" required=true autofocus=email_known error=wrong
            />
            <Button label=words().sign_in() kind=Kind::Primary busy=sending.busy testid="login-submit" />
            <a class="text-button" href="/forgotten-password" rel="external">{words().forgotten_password()}</a>
        </Form>
    }
}

#[component]
fn CodeStep(token: String, challenge: RwSignal<Option<String>>) -> impl IntoView {
    let session = use_session();
    let token = StoredValue::new(token);
    let code = RwSignal::new(String::new());
    let sending = Sending::new();
    let wrong = sending.told(ErrorCode::InvalidCode, "code", words().wrong_code());
    let submit = move |()| {
        let request = account::complete_login(token.get_value(), code.get_untracked());
        sending.send(request, move |viewer| session.enter(viewer));
    };
    view! {
        <Form sending fields=&["code"] at_fields=&[ErrorCode::InvalidCode] on_submit=submit testid="code-form">
            <p>{words().second_factor_text()}</p>
            <TextField
                id="login-code" label=words().code_or_recovery() value=code autocomplete="one-time-code" required=true
                autofocus=true max_length=40 error=wrong
            />
            <Button label=words().sign_in() kind=Kind::Primary busy=sending.busy testid="code-submit" />
            <button type="button" class="text-button" on:click=move |_| challenge.set(None)>
                {words().back_to_sign_in()}
            </button>
        </Form>
    }
}

#[component]
fn LanguageLinks() -> impl IntoView {
    let preferences = expect_context::<Preferences>();
    view! {
        <div class="languages" role="group" aria-label=words().language()>
            {Language::ALL.into_iter().map(|language| view! {
                <button
                    type="button" class="button quiet" lang=language.code()
                    aria-pressed=move || if preferences.language.get() == language { "true" } else { "false" }
                    on:click=move |_| preferences.set_language(language)
                >
                    {language.name()}
                </button>
            }).collect_view()}
        </div>
    }
}
