//! Entering a tenant that one does not belong to: for a reason, in a role, for a while.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    api::{
        account::Role,
        error::ApiError,
        platform::{
            grants::{self, GrantTenantAccessInput},
            tenants::PlatformTenant,
        },
    },
    components::{
        dialog::{Dialog, DialogFoot},
        field::{Select, TextField},
        form::{Form, Sending},
        toast::use_toasts,
    },
    state::session::{Session, use_session},
    words::words,
};

const ROLES: [(&str, Role); 3] = [
    ("ANALYST", Role::Analyst),
    ("AGENT", Role::Agent),
    ("ADMIN", Role::Admin),
];
const MINUTES: [i32; 5] = [15, 60, 120, 240, 480];
const USUAL_MINUTES: i32 = 60;

/// Goes on in another tenant, at its first page.
pub fn goes_to() -> impl Fn(Session, String) + Clone + Send + Sync + 'static {
    let navigate = use_navigate();
    let toasts = use_toasts();
    move |session: Session, tenant: String| {
        let navigate = navigate.clone();
        spawn_local(async move {
            match session.switch_tenant(tenant).await {
                Ok(()) => navigate("/", NavigateOptions::default()),
                Err(error) => toasts.fail(&error),
            }
        });
    }
}

#[component]
pub fn EnterDialog(open: RwSignal<bool>, tenant: StoredValue<PlatformTenant>) -> impl IntoView {
    let title = tenant.with_value(|tenant| words().enter_named(&tenant.name));
    view! {
        <Dialog open title testid="enter-dialog"><EnterForm open tenant /></Dialog>
    }
}

/// Made anew at each opening.
#[component]
fn EnterForm(open: RwSignal<bool>, tenant: StoredValue<PlatformTenant>) -> impl IntoView {
    let session = use_session();
    let go = StoredValue::new(goes_to());
    let id = tenant.with_value(|tenant| tenant.id.clone());
    let belongs = session.viewer.with_untracked(|viewer| {
        let known = viewer.as_ref().map(|viewer| &viewer.memberships);
        known.is_some_and(|known| known.iter().any(|membership| membership.tenant.id == id))
    });
    let reason = RwSignal::new(String::new());
    let role = RwSignal::new(ROLES[0].0.to_owned());
    let minutes = RwSignal::new(USUAL_MINUTES.to_string());
    let sending = Sending::new();
    let submit = move |()| {
        let id = tenant.with_value(|tenant| tenant.id.clone());
        let chosen = role.get_untracked();
        let known = ROLES.into_iter().find(|(name, _)| *name == chosen);
        let input = GrantTenantAccessInput {
            tenant_id: id.clone(),
            reason: reason.get_untracked().trim().to_owned(),
            role: known.map_or(Role::Analyst, |(_, role)| role),
            minutes: minutes.get_untracked().parse().ok(),
        };
        let request = async move {
            if !belongs {
                grants::grant(input).await?;
            }
            Ok::<_, ApiError>(())
        };
        sending.send(request, move |()| {
            open.set(false);
            go.with_value(|go| go(session, id.into_inner()));
        });
    };
    let roles: Vec<(String, String)> = ROLES
        .into_iter()
        .map(|(name, role)| (name.to_owned(), words().role_name(role).to_owned()))
        .collect();
    let lengths: Vec<(String, String)> = MINUTES
        .into_iter()
        .map(|minutes| (minutes.to_string(), length(minutes)))
        .collect();
    view! {
        <Form sending fields=&["reason", "minutes"] on_submit=submit>
            {(!belongs).then(|| view! {
                <p>{words().enter_text()}</p>
                <TextField
                    id="enter-reason" label=words().reason() value=reason error=sending.fault("reason")
                    hint=words().reason_hint() max_length=500 required=true autofocus=true
                />
                <div class="field-pair">
                    <Select
                        id="enter-role" label=words().access_role() options=Signal::stored(roles) value=role
                        on_change=move |chosen| role.set(chosen)
                    />
                    <Select
                        id="enter-length" label=words().access_length() options=Signal::stored(lengths) value=minutes
                        on_change=move |chosen| minutes.set(chosen)
                    />
                </div>
            })}
            <DialogFoot open verb=words().enter() busy=sending.busy testid="enter-submit" />
        </Form>
    }
}

fn length(minutes: i32) -> String {
    if minutes % 60 == 0 {
        words().hours(minutes / 60)
    } else {
        words().minutes(minutes)
    }
}
