//! The table of what each role may do, as the API has it.

use leptos::prelude::*;

use super::ROLES;
use crate::{
    api::members::{self, PermissionRule},
    components::{
        icon::{Icon, icon},
        states::Loaded,
    },
    state::remote::Remote,
    words::words,
};

#[component]
pub fn RolesTable() -> impl IntoView {
    let open = RwSignal::new(false);
    view! {
        <details class="section disclosure" on:toggle=move |_| open.set(true)>
            <summary data-testid="roles">{icon(Icon::ChevronDown)} {words().what_roles_may()}</summary>
            // Asked for when somebody wants to know.
            <Show when=move || open.get()><Rules /></Show>
        </details>
    }
}

#[component]
fn Rules() -> impl IntoView {
    let rules = Remote::new(members::permissions);
    view! {
        <Loaded remote=rules rows=8 shape="line">
            <div class="scroll-x">
                <table class="table roles">
                    <thead><tr>
                        <th scope="col"><span class="visually-hidden">{words().what_roles_may()}</span></th>
                        {ROLES.into_iter().map(|(_, role)| view! { <th scope="col">{words().role_name(role)}</th> }).collect_view()}
                    </tr></thead>
                    <tbody>
                        {move || rules.ready().unwrap_or_default().iter().map(line).collect_view()}
                    </tbody>
                </table>
            </div>
        </Loaded>
    }
}

fn line(rule: &PermissionRule) -> impl IntoView + use<> {
    let cells = ROLES.map(|(_, role)| {
        if rule.roles.contains(&role) {
            view! { <td>{icon(Icon::Check)}<span class="visually-hidden">{words().may()}</span></td> }.into_any()
        } else {
            view! { <td class="none">"–"<span class="visually-hidden">{words().may_not()}</span></td> }.into_any()
        }
    });
    view! { <tr><th scope="row">{words().permission_rule(rule)}</th>{cells.into_iter().collect_view()}</tr> }
}
