//! The person who is signed in: name, password, sessions.

mod password;
mod second_factor;
mod sessions;

use leptos::prelude::*;

use super::SettingsFrame;
use crate::{
    components::facts::{Fact, IdText},
    state::session::use_session,
    words::words,
};
use password::PasswordForm;
use second_factor::SecondFactorSection;
use sessions::Sessions;

#[component]
pub fn AccountPage() -> impl IntoView {
    let user = use_session()
        .viewer
        .with_untracked(|viewer| viewer.as_ref().and_then(|viewer| viewer.user.clone()));
    view! {
        <SettingsFrame>
            <header class="page-head"><h1>{words().signing_in()}</h1></header>
            {user.map(|user| view! {
                <dl class="facts narrow-form">
                    <Fact term=words().name()>{user.name}</Fact>
                    <Fact term=words().email()>{user.email}</Fact>
                    <Fact term="ID"><IdText id=user.id.into_inner() /></Fact>
                </dl>
            })}
            <PasswordForm />
            <SecondFactorSection />
            <Sessions />
        </SettingsFrame>
    }
}
