//! A link for a new password, for somebody whom no mail reaches.

use leptos::prelude::*;

use crate::{
    api::{platform::people, values::ErrorCode},
    components::{
        dialog::{Dialog, DialogFoot},
        field::TextField,
        form::{Form, Sending},
        secret::SecretDialog,
    },
    words::words,
};

#[component]
pub fn PasswordLinkDialog(open: RwSignal<bool>) -> impl IntoView {
    // The link, while it is shown for the only time.
    let link = RwSignal::new(None::<String>);
    view! {
        <Dialog open title=words().password_link_title() testid="password-link-dialog"><LinkForm open link /></Dialog>
        <SecretDialog secret=link title=words().password_link_title() text=words().password_link_text() />
    }
}

/// Made anew at each opening.
#[component]
fn LinkForm(open: RwSignal<bool>, link: RwSignal<Option<String>>) -> impl IntoView {
    let email = RwSignal::new(String::new());
    let sending = Sending::new();
    let submit = move |()| {
        let request = people::password_reset_link(email.get_untracked().trim().to_owned());
        sending.send(request, move |answer| {
            open.set(false);
            link.set(Some(whole(&answer)));
        });
    };
    let unknown = sending.told(ErrorCode::NotFound, "email", words().nobody_has_address());
    view! {
        <Form sending fields=&["email"] at_fields=&[ErrorCode::NotFound] on_submit=submit>
            <p>{words().password_link_who()}</p>
            <TextField
                id="link-email" label=words().email() value=email error=unknown kind="email" input_mode="email"
                required=true autofocus=true
            />
            <DialogFoot open verb=words().make_link() busy=sending.busy testid="link-submit" />
        </Form>
    }
}

/// A server that does not know its public address leaves it out.
fn whole(link: &str) -> String {
    if link.starts_with('/') {
        let origin = window().location().origin().unwrap_or_default();
        format!("{origin}{link}")
    } else {
        link.to_owned()
    }
}
