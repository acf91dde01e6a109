//! How well a password stands against guessing: when it is set, and while it is being typed.
//!
//! **Invariant:** one estimate decides both, so that what is called good enough is accepted. What is typed is neither kept
//! nor logged.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::{Principal, password};
use crate::{
    audit::Acts,
    graphql::{GqlError, UserError},
    secret::Secret,
};

/// The estimate of a longer text takes long and says nothing more.
const LOOKED_AT: usize = 100;
/// Words that callers may name as known.
const MOST_KNOWN: usize = 5;
/// How long each may be, in bytes.
const LONGEST_KNOWN: usize = 255;

/// A password that is neither too short nor too long to be set.
pub fn new_password(password: &Secret, path: &str) -> Result<(), UserError> {
    let length = password.expose().len();
    if length < password::SHORTEST {
        return Err(UserError::invalid(
            path,
            format!("A password has at least {} characters.", password::SHORTEST),
        ));
    }
    if length > password::LONGEST {
        return Err(UserError::invalid(
            path,
            format!("A password has at most {} bytes.", password::LONGEST),
        ));
    }
    Ok(())
}

/// Refuses passwords that are guessed quickly. What is known about the person counts as known to whoever guesses.
pub fn strong_password(password: &Secret, path: &str, known: &[&str]) -> Result<(), UserError> {
    new_password(password, path)?;
    let estimate = estimate(password, known);
    if is_enough(&estimate) {
        return Ok(());
    }
    let advice = advice(&estimate).map_or_else(String::new, |advice| format!(" {advice}"));
    let message =
        format!("This password is guessed too quickly: choose a longer one, such as four unusual words.{advice}");
    Err(UserError::invalid(path, message))
}

fn estimate(password: &Secret, known: &[&str]) -> zxcvbn::Entropy {
    let text: String = password.expose().chars().take(LOOKED_AT).collect();
    zxcvbn::zxcvbn(&text, known)
}

fn is_enough(estimate: &zxcvbn::Entropy) -> bool {
    estimate.score() >= zxcvbn::Score::Three
}

fn advice(estimate: &zxcvbn::Entropy) -> Option<String> {
    let warning = estimate.feedback()?.warning()?;
    Some(warning.to_string())
}

/// A password that is being thought of.
#[derive(InputObject)]
pub struct PasswordStrengthInput {
    /// As far as it is typed; at most 1024 bytes.
    #[graphql(secret)]
    password: String,
    /// What whoever guesses knows, too: the person's address and name. At most 5 words of at most 255 bytes. The address of
    /// a person who is logged in counts by itself.
    known: Option<Vec<String>>,
}

/// How well a password stands against guessing.
#[derive(SimpleObject)]
pub struct PasswordStrength {
    /// From 0 (among the first that are tried) to 4 (not worth trying).
    score: i32,
    /// Whether it may be set: 8 to 1024 bytes, and a score of 3 or 4.
    accepted: bool,
    /// What is wrong with it, in English; null when there is nothing to say.
    advice: Option<String>,
}

impl PasswordStrength {
    fn of(password: &Secret, known: &[&str]) -> Self {
        let estimate = estimate(password, known);
        Self {
            score: u8::from(estimate.score()).into(),
            accepted: new_password(password, "password").is_ok() && is_enough(&estimate),
            advice: advice(&estimate),
        }
    }
}

/// What people ask while they type.
#[derive(Default)]
pub struct PasswordStrengthQuery;

#[Object]
impl PasswordStrengthQuery {
    /// How well a password would stand against guessing, by the estimate that decides when it is set. Needs no
    /// authentication, and counts among the requests of strangers. The password is neither kept nor logged: it goes to the
    /// server that it is for, over the same connection. BAD_REQUEST when something is too long.
    async fn password_strength(
        &self,
        ctx: &Context<'_>,
        input: PasswordStrengthInput,
    ) -> Result<PasswordStrength, GqlError> {
        let mut known = input.known.unwrap_or_default();
        if input.password.len() > password::LONGEST
            || known.len() > MOST_KNOWN
            || known.iter().any(|word| word.len() > LONGEST_KNOWN)
        {
            return Err(GqlError::bad_request("The password or what is known is too long."));
        }
        let caller = ctx
            .data_opt::<Principal>()
            .and_then(|caller| caller.actor().name.clone());
        known.extend(caller.map(|name| name.to_string()));
        let password = Secret::new(input.password);
        // Some milliseconds of work, which other requests on this thread would wait for.
        let judged = tokio::task::spawn_blocking(move || {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            PasswordStrength::of(&password, &known)
        });
        judged.await.map_err(GqlError::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_are_guessed_quickly_are_refused_and_called_weak() {
        let known = ["budi@example.com", "Budi"];
        let judge = |text: &str| {
            let password = Secret::new(text);
            let accepted = strong_password(&password, "password", &known).is_ok();
            let told = PasswordStrength::of(&password, &known);
            assert_eq!(told.accepted, accepted, "{text}");
            (told.score, accepted)
        };
        for weak in [
            "",
            "short",
            "password1234",
            "qwertyuiop",
            "budi@example.com",
            "aaaaaaaaaaaa",
        ] {
            let (score, accepted) = judge(weak);
            assert!(score < 3 && !accepted, "{weak}: {score}");
        }
        assert_eq!(judge("rusty bicycle over the harbour"), (4, true));
    }
}
