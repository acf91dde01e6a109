//! The fields of a plan, for creating and for editing.

use leptos::prelude::*;

use super::super::limit_fields::{LimitFields, LimitTexts};
use crate::{
    api::platform::plans::{self, CreatePlanInput, Plan, UpdatePlanInput},
    components::{
        dialog::DialogFoot,
        field::{FieldError, TextField},
        form::{Form, Sending},
    },
    words::words,
};

/// Made anew at each opening.
#[component]
pub fn PlanForm(open: RwSignal<bool>, plan: Option<Plan>, saved: Callback<()>) -> impl IntoView {
    let id = plan.as_ref().map(|plan| plan.id.clone());
    let (name, description, limits) = plan
        .map(|plan| (plan.name, plan.description.unwrap_or_default(), plan.limits))
        .unwrap_or_default();
    let (name, description) = (RwSignal::new(name), RwSignal::new(description));
    let texts = LimitTexts::new(&limits);
    let written = StoredValue::new(texts.clone());
    let id = StoredValue::new(id);
    let sending = Sending::new();
    let malformed = RwSignal::new(false);
    let submit = move |()| {
        let limits = written.with_value(LimitTexts::read);
        malformed.set(limits.is_none());
        let Some(limits) = limits else { return };
        let (name, description) = (name.get_untracked(), Some(description.get_untracked()));
        let request = async move {
            match id.get_value() {
                None => {
                    let input = CreatePlanInput {
                        name,
                        description,
                        limits,
                    };
                    plans::create(input).await
                }
                Some(id) => {
                    let input = UpdatePlanInput {
                        id,
                        name: Some(name),
                        description,
                        limits: Some(limits),
                    };
                    plans::update(input).await
                }
            }
        };
        sending.send(request, move |_| {
            open.set(false);
            saved.run(());
        });
    };
    view! {
        <Form sending fields=&["name"] on_submit=submit>
            <TextField
                id="plan-name" label=words().name() value=name error=sending.fault("name") max_length=120 required=true
                autofocus=true
            />
            <TextField
                id="plan-description" label=words().description_optional() value=description max_length=500
            />
            <LimitFields texts />
            {move || malformed.get().then(|| view! { <FieldError text=words().whole_number() /> })}
            <DialogFoot open verb=words().save() busy=sending.busy testid="plan-submit" />
        </Form>
    }
}
