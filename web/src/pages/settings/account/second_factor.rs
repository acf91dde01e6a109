//! The second factor: turning it on with an authenticator app, its recovery codes, turning it off.

use leptos::prelude::*;

use crate::{
    api::{
        second_factor::{self, Enrollment, SecondFactor},
        values::ErrorCode,
    },
    components::{
        badge::Badge,
        button::{Button, Kind},
        dialog::{Dialog, DialogFoot},
        facts::CodeBlock,
        field::TextField,
        form::{Form, Sending},
        secret::Secret,
        states::Loaded,
        toast::use_toasts,
    },
    state::remote::Remote,
    words::words,
};

/// What stands at its field, though the server names none.
const WRONG: &[ErrorCode] = &[ErrorCode::InvalidCredentials, ErrorCode::InvalidCode];

#[component]
pub fn SecondFactorSection() -> impl IntoView {
    let remote = Remote::new(second_factor::get);
    let (enrolling, renewing, disabling) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let changed = Callback::new(move |()| remote.refresh());
    view! {
        <section class="section" data-testid="second-factor">
            <h2>{words().second_factor()}</h2>
            <p class="page-text">{words().second_factor_text()}</p>
            <Loaded remote rows=1>
                {move || remote.ready().flatten().map(|factor| if factor.enabled {
                    view! { <Enabled factor renewing disabling /> }.into_any()
                } else {
                    view! {
                        <Button
                            label=words().turn_on() testid="enroll-second-factor"
                            on_press=move |()| enrolling.set(true)
                        />
                    }.into_any()
                })}
            </Loaded>
            <Dialog open=enrolling title=words().second_factor() testid="enroll-dialog">
                <EnrollSteps open=enrolling changed />
            </Dialog>
            <Dialog open=renewing title=words().new_recovery_codes() testid="renew-dialog">
                <RenewSteps open=renewing changed />
            </Dialog>
            <Dialog open=disabling title=words().turn_off_second_factor() testid="disable-dialog">
                <DisableForm open=disabling changed />
            </Dialog>
        </section>
    }
}

#[component]
fn Enabled(factor: SecondFactor, renewing: RwSignal<bool>, disabling: RwSignal<bool>) -> impl IntoView {
    view! {
        <p class="row-actions">
            <Badge tone="good" label=Signal::stored(words().is_on().to_owned()) />
            <span class="sub">{words().recovery_codes_left(factor.recovery_codes_left)}</span>
        </p>
        <div class="row-actions section-actions">
            <Button
                label=words().new_recovery_codes() testid="renew-codes" on_press=move |()| renewing.set(true)
            />
            <Button
                label=words().turn_off() testid="disable-second-factor" on_press=move |()| disabling.set(true)
            />
        </div>
    }
}

/// Password, then the app's picture and first code, then the recovery codes. Made anew at each opening.
#[component]
fn EnrollSteps(open: RwSignal<bool>, changed: Callback<()>) -> impl IntoView {
    let enrollment = RwSignal::new(None::<Enrollment>);
    let codes = RwSignal::new(None::<Vec<String>>);
    let kept = Callback::new(move |made: Vec<String>| {
        codes.set(Some(made));
        changed.run(());
    });
    move || match (codes.get(), enrollment.get()) {
        (Some(codes), _) => view! { <RecoveryCodes codes open /> }.into_any(),
        (None, Some(enrollment)) => view! { <ConfirmForm enrollment open kept /> }.into_any(),
        (None, None) => view! { <PasswordStep enrollment open /> }.into_any(),
    }
}

#[component]
fn PasswordStep(enrollment: RwSignal<Option<Enrollment>>, open: RwSignal<bool>) -> impl IntoView {
    let password = RwSignal::new(String::new());
    let sending = Sending::new();
    let submit = move |()| {
        sending.send(second_factor::enroll(password.get_untracked()), move |made| {
            enrollment.set(Some(made));
        });
    };
    view! {
        <Form sending at_fields=WRONG fields=&["currentPassword"] on_submit=submit>
            <CurrentPassword password sending />
            <DialogFoot open verb=words().go_on() busy=sending.busy testid="enroll-password-submit" />
        </Form>
    }
}

#[component]
fn ConfirmForm(enrollment: Enrollment, open: RwSignal<bool>, kept: Callback<Vec<String>>) -> impl IntoView {
    let code = RwSignal::new(String::new());
    let sending = Sending::new();
    let submit = move |()| sending.send(second_factor::confirm(code.get_untracked()), move |made| kept.run(made));
    view! {
        <Form sending at_fields=WRONG fields=&["code"] on_submit=submit>
            <p>{words().scan_with_app()}</p>
            <img class="qr-code factor" src=enrollment.qr_png alt=words().second_factor_qr() />
            <p class="sub">{words().or_type_secret()}</p>
            <Secret text=enrollment.secret />
            <CodeField code sending label=words().code_of_app() />
            <DialogFoot open verb=words().turn_on() busy=sending.busy testid="confirm-second-factor" />
        </Form>
    }
}

/// Shown once.
#[component]
fn RecoveryCodes(codes: Vec<String>, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <div class="stack" data-testid="recovery-codes">
            <p>{words().recovery_codes_text()}</p>
            <CodeBlock text=codes.join("\n") />
            <footer class="dialog-foot">
                <Button
                    label=words().done() kind=Kind::Primary testid="recovery-codes-done"
                    on_press=move |()| open.set(false)
                />
            </footer>
        </div>
    }
}

#[component]
fn RenewSteps(open: RwSignal<bool>, changed: Callback<()>) -> impl IntoView {
    let (password, code) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let codes = RwSignal::new(None::<Vec<String>>);
    let sending = Sending::new();
    let submit = move |()| {
        let request = second_factor::renew_codes(password.get_untracked(), code.get_untracked());
        sending.send(request, move |made| {
            codes.set(Some(made));
            changed.run(());
        });
    };
    move || match codes.get() {
        Some(codes) => view! { <RecoveryCodes codes open /> }.into_any(),
        None => view! {
            <Form sending at_fields=WRONG fields=&["currentPassword", "code"] on_submit=submit>
                <p>{words().new_recovery_codes_text()}</p>
                <CurrentPassword password sending />
                <CodeField code sending label=words().code_or_recovery() />
                <DialogFoot open verb=words().create() busy=sending.busy testid="renew-submit" />
            </Form>
        }
        .into_any(),
    }
}

#[component]
fn DisableForm(open: RwSignal<bool>, changed: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let (password, code) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let sending = Sending::new();
    let submit = move |()| {
        let request = second_factor::disable(password.get_untracked(), code.get_untracked());
        sending.send(request, move |()| {
            open.set(false);
            toasts.say(words().second_factor_is_off());
            changed.run(());
        });
    };
    view! {
        <Form sending at_fields=WRONG fields=&["currentPassword", "code"] on_submit=submit>
            <p>{words().turn_off_text()}</p>
            <CurrentPassword password sending />
            <CodeField code sending label=words().code_or_recovery() />
            <footer class="dialog-foot">
                <Button label=words().cancel() on_press=move |()| open.set(false) />
                <Button label=words().turn_off() kind=Kind::Danger busy=sending.busy testid="disable-submit" />
            </footer>
        </Form>
    }
}

#[component]
fn CurrentPassword(password: RwSignal<String>, sending: Sending) -> impl IntoView {
    view! {
        <TextField
            id="factor-password" label=words().current_password() value=password kind="password"
            autocomplete="current-password" error=sending.told(ErrorCode::InvalidCredentials, "currentPassword", words().wrong_current_password()) required=true autofocus=true
        />
    }
}

#[component]
fn CodeField(code: RwSignal<String>, sending: Sending, label: &'static str) -> impl IntoView {
    view! {
        <TextField
            id="factor-code" label value=code autocomplete="one-time-code" error=sending.told(ErrorCode::InvalidCode, "code", words().wrong_code()) required=true
            max_length=40
        />
    }
}
