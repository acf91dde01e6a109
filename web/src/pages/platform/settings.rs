//! What operators set while the server runs: rate limits and defaults.

use leptos::prelude::*;

use super::{PlatformFrame, limit_fields::whole_number};
use crate::{
    api::platform::settings::{self, PlatformSettings, RateLimitInput, RateRule, UpdatePlatformSettingsInput},
    components::{
        button::{Button, Kind},
        field::{FieldError, NumberInput, TextField},
        form::{Form, Sending},
        states::Loaded,
        toast::use_toasts,
    },
    state::remote::Remote,
    words::words,
};

#[component]
pub fn PlatformSettingsPage() -> impl IntoView {
    let remote = Remote::new(settings::get);
    view! {
        <PlatformFrame>
            <header class="page-head"><h1>{words().platform_settings()}</h1></header>
            <p class="page-text">{words().platform_settings_text()}</p>
            <Loaded remote rows=6>
                {move || remote.ready().map(|settings| view! { <SettingsForm settings /> })}
            </Loaded>
        </PlatformFrame>
    }
}

/// A rule with what is being written about it.
#[derive(Clone, Copy)]
struct RuleTexts {
    rule: RateRule,
    most: RwSignal<String>,
    window: RwSignal<String>,
}

impl RuleTexts {
    /// What the texts say; none when one of them is no number.
    fn read(self) -> Option<RateLimitInput> {
        Some(RateLimitInput {
            rule: self.rule,
            limit: whole_number(&self.most.get_untracked()).ok()?,
            window_seconds: Some(whole_number(&self.window.get_untracked()).ok()??),
        })
    }
}

#[component]
fn SettingsForm(settings: PlatformSettings) -> impl IntoView {
    let toasts = use_toasts();
    let known = settings
        .rate_limits
        .iter()
        .filter(|limit| limit.rule != RateRule::Other);
    let rules: Vec<RuleTexts> = known
        .map(|limit| RuleTexts {
            rule: limit.rule,
            most: RwSignal::new(limit.limit.map(|most| most.0.to_string()).unwrap_or_default()),
            window: RwSignal::new(limit.window_seconds.0.to_string()),
        })
        .collect();
    let webhook = RwSignal::new(settings.webhook_default_url.unwrap_or_default());
    let sending = Sending::new();
    let malformed = RwSignal::new(false);
    let written = StoredValue::new(rules.clone());
    let submit = move |()| {
        let limits: Option<Vec<RateLimitInput>> =
            written.with_value(|rules| rules.iter().map(|rule| rule.read()).collect());
        malformed.set(limits.is_none());
        let Some(limits) = limits else { return };
        let input = UpdatePlatformSettingsInput {
            rate_limits: Some(limits),
            webhook_default_url: Some(webhook.get_untracked().trim().to_owned()),
        };
        sending.send(settings::update(input), move |_| toasts.say(words().saved()));
    };
    view! {
        <Form
            sending fields=&["webhookDefaultUrl"] on_submit=submit class="stack narrow-form" testid="platform-settings"
        >
            <table class="table rules">
                <thead><tr>
                    <th scope="col">{words().rate_limits()}</th>
                    <th scope="col" class="numeric">{words().most()}</th>
                    <th scope="col" class="numeric">{words().window_seconds()}</th>
                </tr></thead>
                <tbody>{rules.into_iter().map(|texts| view! { <RuleRow texts /> }).collect_view()}</tbody>
            </table>
            <p class="hint">{words().limits_hint()}</p>
            {move || malformed.get().then(|| view! { <FieldError text=words().whole_number() /> })}
            <TextField
                id="webhook-default" label=words().webhook_default() value=webhook
                error=sending.fault("webhookDefaultUrl") placeholder="https://…" input_mode="url"
            />
            <div>
                <Button label=words().save() kind=Kind::Primary busy=sending.busy testid="platform-settings-save" />
            </div>
        </Form>
    }
}

#[component]
fn RuleRow(texts: RuleTexts) -> impl IntoView {
    let rule = words().rate_rule(texts.rule);
    let most = words().of_rule(words().most(), &rule);
    let window = words().of_rule(words().window_seconds(), &rule);
    view! {
        <tr>
            <th scope="row">{rule}</th>
            <td><NumberInput id=format!("most-{:?}", texts.rule) name=most value=texts.most /></td>
            <td><NumberInput id=format!("window-{:?}", texts.rule) name=window value=texts.window /></td>
        </tr>
    }
}
