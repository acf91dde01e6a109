//! A new password, with how well it stands against guessing while it is typed.
//!
//! The server judges, since it is the server that accepts or refuses. What is typed goes nowhere but there, as the password
//! itself does a moment later. Without an answer the field says nothing, and the form works as ever.

use leptos::{prelude::*, task::spawn_local};

use super::field::TextField;
use crate::{
    api::password_strength::{self, PasswordStrength},
    state::soon::Soon,
    words::words,
};

/// A pause in typing, or so often while somebody types on.
const PAUSE_MS: u32 = 600;
/// Scores go from 0 to 4.
const STEPS: i32 = 4;

#[component]
pub fn PasswordField(
    id: &'static str,
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    /// What whoever guesses knows, too: the address, the name.
    #[prop(optional, into)]
    known: Signal<Vec<String>>,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let strength = RwSignal::new(None::<PasswordStrength>);
    let judge = Soon::new(PAUSE_MS, move || {
        let Some(text) = value.try_get_untracked().filter(|text| !text.is_empty()) else {
            return;
        };
        let known = known.try_get_untracked().unwrap_or_default();
        spawn_local(async move {
            let told = password_strength::of(text.clone(), known).await.ok();
            // What was typed since is judged by itself.
            if value.try_get_untracked() == Some(text) {
                let _ = strength.try_set(told);
            }
        });
    });
    Effect::new(move |before: Option<()>| {
        let empty = value.with(String::is_empty);
        if empty {
            strength.set(None);
        } else if before.is_some() {
            judge.call();
        }
    });
    // What was refused before says nothing about a password that would be accepted.
    let error = Signal::derive(move || {
        let accepted = strength.with(|strength| strength.is_some_and(|strength| strength.accepted));
        error.get().filter(|_| !accepted)
    });
    view! {
        <div class="password-field">
            <TextField
                id label value error kind="password" autocomplete="new-password" hint=words().password_hint() required=true
                autofocus
            />
            <div role="status" aria-live="polite">
                {move || strength.get().map(|strength| view! { <Meter strength /> })}
            </div>
        </div>
    }
}

#[component]
fn Meter(strength: PasswordStrength) -> impl IntoView {
    let tone = match strength.score {
        _ if strength.accepted => "good",
        2 => "fair",
        _ => "bad",
    };
    view! {
        <p class=format!("strength {tone}") data-testid="password-strength" data-score=strength.score>
            <span class="strength-bar" aria-hidden="true">
                {(1..=STEPS).map(|step| view! { <span class:on=step <= strength.score.max(1)></span> }).collect_view()}
            </span>
            <span>{words().password_strength(strength.score, strength.accepted)}</span>
        </p>
    }
}
