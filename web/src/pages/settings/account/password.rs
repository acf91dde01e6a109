//! Choosing a new password.

use leptos::prelude::*;

use crate::{
    api::{sessions, values::ErrorCode},
    components::{
        button::Button,
        field::TextField,
        form::{Form, Sending},
        password_field::PasswordField,
        toast::use_toasts,
    },
    words::words,
};

#[component]
pub fn PasswordForm() -> impl IntoView {
    let toasts = use_toasts();
    let (current, wanted) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let sending = Sending::new();
    let wrong = sending.told(
        ErrorCode::InvalidCredentials,
        "currentPassword",
        words().wrong_current_password(),
    );
    let submit = move |()| {
        let request = sessions::change_password(current.get_untracked(), wanted.get_untracked());
        sending.send(request, move |()| {
            current.set(String::new());
            wanted.set(String::new());
            toasts.say(words().password_changed());
        });
    };
    view! {
        <section class="section">
            <h2>{words().change_password()}</h2>
            <p class="page-text">{words().change_password_text()}</p>
            <Form
                sending fields=&["currentPassword", "newPassword"] at_fields=&[ErrorCode::InvalidCredentials] on_submit=submit class="card stack narrow-form"
                testid="password-form"
            >
                <TextField
                    id="current-password" label=words().current_password() value=current kind="password"
                    autocomplete="current-password" required=true
                    error=wrong
                />
                <PasswordField
                    id="new-password" label=words().new_password() value=wanted error=sending.fault("newPassword")
                />
                <div><Button label=words().change_password() busy=sending.busy testid="password-submit" /></div>
            </Form>
        </section>
    }
}
