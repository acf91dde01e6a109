//! A form on its way: busy while it is sent, and what was refused stands at its field.

use futures::future::LocalBoxFuture;
use leptos::{prelude::*, task::spawn_local};

use super::states::FormError;
use crate::{
    api::{error::ApiError, values::ErrorCode},
    words,
};

/// Whether a form is being sent, and how it was refused last.
#[derive(Clone, Copy)]
pub struct Sending {
    pub busy: RwSignal<bool>,
    pub error: RwSignal<Option<ApiError>>,
}

impl Sending {
    pub fn new() -> Self {
        Self {
            busy: RwSignal::new(false),
            error: RwSignal::new(None),
        }
    }

    /// What is wrong with a field.
    pub fn fault(self, field: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || {
            self.error
                .with(|error| error.as_ref()?.of_field(field).map(words::refusal))
        })
    }

    /// What is wrong with a field, where the server's code says it without naming the field.
    pub fn told(self, code: ErrorCode, field: &'static str, words: &'static str) -> Signal<Option<String>> {
        let named = self.fault(field);
        Signal::derive(move || {
            let told = self
                .error
                .with(|error| error.as_ref().is_some_and(|error| error.is(code)));
            if told { Some(words.to_owned()) } else { named.get() }
        })
    }

    /// Sends it, unless it is on its way already. A form that is refused keeps what was typed.
    pub fn send<T: 'static>(
        self,
        request: impl Future<Output = Result<T, ApiError>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.error.set(None);
        let request: LocalBoxFuture<'static, _> = Box::pin(request);
        spawn_local(async move {
            let answer = request.await;
            // The form may have been left by then.
            let _ = self.busy.try_set(false);
            match answer {
                Ok(value) => done(value),
                Err(refused) => {
                    let _ = self.error.try_set(Some(refused));
                }
            }
        });
    }
}

/// A form: refusals that belong to none of `fields` stand above them.
#[component]
pub fn Form(
    sending: Sending,
    fields: &'static [&'static str],
    /// Refusals that stand at a field, though they name none.
    #[prop(optional)]
    at_fields: &'static [ErrorCode],
    #[prop(into)] on_submit: Callback<()>,
    #[prop(default = "stack")] class: &'static str,
    #[prop(optional)] testid: &'static str,
    children: Children,
) -> impl IntoView {
    let rest = Signal::derive(move || {
        sending.error.with(|error| {
            let error = error.as_ref()?;
            let at_a_field = at_fields.iter().any(|code| error.is(*code));
            error.beside(fields).filter(|_| !at_a_field).cloned()
        })
    });
    view! {
        <form
            class=class novalidate=true data-testid=testid
            on:submit=move |event| {
                event.prevent_default();
                on_submit.run(());
            }
        >
            <FormError error=rest />
            {children()}
        </form>
    }
}
