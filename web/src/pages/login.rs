//! Signing in.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{account, error::ApiError, values::ErrorCode},
    components::{
        button::{Button, Kind},
        field::TextField,
        states::FormError,
    },
    state::{preferences::Preferences, session::use_session},
    words::{self, Language, words},
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

/// Address and password; the session begins where it stands.
#[component]
pub fn LoginForm(#[prop(optional)] email: String) -> impl IntoView {
    let session = use_session();
    let email_known = !email.is_empty();
    let email = RwSignal::new(email);
    let password = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let email_error = Signal::derive(move || error.with(|error| error.as_ref()?.of_field("email").map(words::refusal)));
    let password_error = Signal::derive(move || {
        error.with(|error| {
            let error = error.as_ref()?;
            let wrong = error
                .is(ErrorCode::InvalidCredentials)
                .then(|| words().wrong_password().to_owned());
            wrong.or_else(|| error.of_field("password").map(words::refusal))
        })
    });
    let other = Signal::derive(move || {
        error.with(|error| {
            let error = error
                .as_ref()
                .filter(|error| !error.is(ErrorCode::InvalidCredentials))?;
            error.beside(&["email", "password"]).cloned()
        })
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            match account::login(email.get_untracked().trim().to_owned(), password.get_untracked()).await {
                Ok(viewer) => session.enter(viewer),
                Err(refusal) => {
                    error.set(Some(refusal));
                    busy.set(false);
                }
            }
        });
    };
    view! {
        <form class="stack" on:submit=submit data-testid="login-form" novalidate=true>
            <FormError error=other />
            <TextField
                id="email" label=words().email() value=email kind="email" autocomplete="username" required=true
                autofocus=!email_known error=email_error input_mode="email"
            />
            <TextField
                id="password" label=words().password() value=password kind="password"
                autocomplete="current-password" required=true autofocus=email_known error=password_error
            />
            <Button label=words().sign_in() kind=Kind::Primary busy testid="login-submit" />
        </form>
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
