//! What operators do with plans.

use entity::{PlanId, plan};
use sea_orm::sea_query::Expr;

use super::{
    Platform, queries,
    types::{parse_note, parse_plan_name},
};
use crate::{
    audit::{self, Action, Entry},
    clock::new_id,
    graphql::{ErrorCode, GqlError, Refusal, UserError},
    tenants::{Principal, limits::Limits},
};

/// What changes about a plan; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct PlanChange {
    pub name: Option<String>,
    /// The empty text removes it.
    pub description: Option<String>,
    pub limits: Option<Limits>,
}

impl Platform {
    /// Every plan, by name.
    pub async fn plans(&self, caller: &Principal) -> Result<Vec<plan::Model>, GqlError> {
        caller.require_operator()?;
        Ok(queries::list_plans(&self.system()).await?)
    }

    /// Makes a plan.
    pub async fn create_plan(&self, caller: &Principal, wish: PlanChange) -> Result<plan::Model, Refusal> {
        caller.require_operator()?;
        let now = self.parts.clock.now();
        let row = plan::Model {
            id: new_id(),
            name: parse_plan_name(&wish.name.unwrap_or_default())?,
            description: parse_note(wish.description.as_deref(), "description")?,
            limits: wish.limits.unwrap_or_default().write(),
            created_at: now,
            updated_at: now,
        };
        let tx = self.system().begin().await?;
        queries::insert_plan(&tx, row.clone()).await.map_err(taken_name)?;
        let told = Entry::of(Action::PlanCreated, &row.id).named(&row.name);
        audit::record_beyond(&tx, None, now, &caller.as_operator(), told.with(audited(&row))).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Changes a plan, and with it the limits of every tenant that has it.
    pub async fn update_plan(
        &self,
        caller: &Principal,
        id: PlanId,
        change: PlanChange,
    ) -> Result<plan::Model, Refusal> {
        use plan::Column;
        caller.require_operator()?;
        let now = self.parts.clock.now();
        let mut columns = vec![(Column::UpdatedAt, Expr::value(now))];
        if let Some(name) = &change.name {
            columns.push((Column::Name, Expr::value(parse_plan_name(name)?)));
        }
        if let Some(text) = &change.description {
            let description = parse_note(Some(text), "description")?;
            columns.push((Column::Description, Expr::value(description)));
        }
        if let Some(limits) = change.limits {
            columns.push((Column::Limits, Expr::value(limits.write())));
        }
        let no_plan = || UserError::not_found("plan").at("id");
        let before = queries::find_plan(&self.system(), id).await?.ok_or_else(no_plan)?;
        let tx = self.system().begin().await?;
        let changed = queries::update_plan(&tx, id, columns).await.map_err(taken_name)?;
        let row = changed.ok_or_else(no_plan)?;
        let told = Entry::of(Action::PlanUpdated, &id).named(&row.name);
        audit::record_beyond(
            &tx,
            None,
            now,
            &caller.as_operator(),
            told.changed(audited(&before), audited(&row)),
        )
        .await?;
        tx.commit().await?;
        self.parts.profiles.forget();
        Ok(row)
    }

    /// Deletes a plan that no tenant has.
    pub async fn delete_plan(&self, caller: &Principal, id: PlanId) -> Result<PlanId, Refusal> {
        caller.require_operator()?;
        let found = queries::find_plan(&self.system(), id).await?;
        let plan = found.ok_or_else(|| UserError::not_found("plan").at("id"))?;
        let tx = self.system().begin().await?;
        if !queries::delete_unused_plan(&tx, id).await? {
            let message = "Tenants have this plan. Give them another one first.";
            return Err(UserError::new(ErrorCode::Conflict, message).at("id").into());
        }
        let told = Entry::of(Action::PlanDeleted, &id).named(&plan.name);
        audit::record_beyond(&tx, None, self.parts.clock.now(), &caller.as_operator(), told).await?;
        tx.commit().await?;
        Ok(id)
    }
}

/// What can change about a plan, for the audit log.
fn audited(row: &plan::Model) -> serde_json::Value {
    serde_json::json!({ "name": row.name, "description": row.description, "limits": row.limits })
}

fn taken_name(error: sea_orm::DbErr) -> Refusal {
    Refusal::if_taken(
        error,
        UserError::new(ErrorCode::AlreadyExists, "Another plan has this name.").at("name"),
    )
}
