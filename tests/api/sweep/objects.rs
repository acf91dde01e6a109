//! How an object of every kind is made, and what an id looks like that nothing has.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use api::clock::new_id;
use entity::membership::Role;
use entity::{chat, device, message, session};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde_json::{Value, json};

use super::world::{Household, World, join};

impl World {
    /// A fresh object of a tenant.
    pub(super) async fn make(&self, household: &Household, kind: &str) -> Result<String> {
        let now = self.app.clock.now();
        let owner = &household.owner;
        let of = |answer: &Value, path: &str| {
            let id = answer.pointer(path).and_then(Value::as_str);
            id.map(str::to_owned)
                .with_context(|| format!("no {kind} was made: {answer}"))
        };
        Ok(match kind {
            "Device" => self.device(household).await?.to_string(),
            "Chat" => self.conversation(household).await?.0.to_string(),
            "Message" => self.conversation(household).await?.1.to_string(),
            "Tenant" => {
                let document = "mutation($input: CreateTenantInput!) { createTenant(input: $input) { tenant { id } userErrors { code } } }";
                let input = json!({ "input": { "name": fresh_email(), "ownerEmail": fresh_email() } });
                of(
                    &self.app.client.mutate(document, input, "createTenant").await?,
                    "/tenant/id",
                )?
            }
            "AccessGrant" => {
                // Of a tenant that nobody else asks for, which an operator enters once only.
                let document = "mutation($id: ID!) { grantTenantAccess(input: { tenantId: $id, reason: \"Sweep\" }) { accessGrant { id } userErrors { code } } }";
                let id = json!({ "id": Box::pin(self.make(household, "Tenant")).await? });
                of(
                    &self.app.client.mutate(document, id, "grantTenantAccess").await?,
                    "/accessGrant/id",
                )?
            }
            "Plan" => {
                let document = "mutation($name: String!) { createPlan(input: { name: $name, limits: [] }) { plan { id } userErrors { code } } }";
                let name = json!({ "name": fresh_email() });
                of(&self.app.client.mutate(document, name, "createPlan").await?, "/plan/id")?
            }
            "User" => household.owner_id.to_string(),
            "Member" => {
                let (_, member) = join(&self.connection, household.tenant.id, Role::Agent, &fresh_email()).await?;
                member.to_string()
            }
            "Invitation" => {
                let document = "mutation($email: String!) { inviteMember(input: { email: $email, role: AGENT }) { invitation { id } userErrors { code } } }";
                let made = owner
                    .mutate(document, json!({ "email": fresh_email() }), "inviteMember")
                    .await?;
                of(&made, "/invitation/id")?
            }
            "ApiToken" => {
                let document = "mutation($name: String!) { createApiToken(input: { name: $name, scopes: [READ] }) { apiToken { id } userErrors { code } } }";
                let made = owner
                    .mutate(document, json!({ "name": household.tenant.name }), "createApiToken")
                    .await?;
                of(&made, "/apiToken/id")?
            }
            "AuditEntry" => {
                let found = owner
                    .query("{ auditLog(first: 1) { nodes { id } } }", json!({}))
                    .await?;
                of(&found, "/auditLog/nodes/0/id")?
            }
            "Session" => {
                let row = session::ActiveModel {
                    id: Set(new_id()),
                    user_id: Set(household.owner_id),
                    tenant_id: Set(Some(household.tenant.id)),
                    created_at: Set(now),
                    last_used_at: Set(now),
                    expires_at: Set(now + chrono::TimeDelta::days(1)),
                    ..Default::default()
                };
                let id = row.id.clone().unwrap();
                session::Entity::insert(row)
                    .exec_without_returning(&self.connection)
                    .await?;
                id.to_string()
            }
            _ => bail!("how is a {kind} made? Add it to World::make in tests/api/sweep/objects.rs"),
        })
    }

    /// A device that counts as linked.
    async fn device(&self, household: &Household) -> Result<entity::DeviceId> {
        let document =
            "mutation($name: String!) { createDevice(input: { name: $name }) { device { id } userErrors { code } } }";
        let name = json!({ "name": household.tenant.name });
        let made = household.owner.mutate(document, name, "createDevice").await?;
        let id = made["device"]["id"].as_str().context("no device")?;
        let id: entity::DeviceId = id.parse().ok().context("no id")?;
        device::Entity::update_many()
            .col_expr(device::Column::Linked, Expr::value(true))
            .col_expr(device::Column::Jid, Expr::value("6281200000001@s.whatsapp.net"))
            .filter(device::Column::Id.eq(id))
            .exec(&self.connection)
            .await?;
        Ok(id)
    }

    /// A chat with a message in it, which has failed and is its last. It mentions the person of the chat.
    async fn conversation(&self, household: &Household) -> Result<(entity::ChatId, entity::MessageId)> {
        let (device_id, chat_id) = self.chat(household).await?;
        let row = message::ActiveModel {
            id: Set(new_id()),
            tenant_id: Set(household.tenant.id),
            device_id: Set(device_id),
            chat_id: Set(chat_id),
            whatsapp_id: Set(chat_id.to_string()),
            direction: Set(message::Direction::Out),
            sender_jid: Set("6281200000001@s.whatsapp.net".to_owned()),
            kind: Set(message::Kind::Text),
            content: Set(
                json!({ "text": household.tenant.name, "mentions": [{ "jid": "6281200000002@s.whatsapp.net" }] }),
            ),
            body: Set(Some(household.tenant.name.clone())),
            status: Set(message::Status::Failed),
            priority: Set(message::Priority::Interactive),
            attempts: Set(1),
            created_at: Set(self.app.clock.now()),
            ..Default::default()
        };
        let id = row.id.clone().unwrap();
        message::Entity::insert(row)
            .exec_without_returning(&self.connection)
            .await?;
        chat::Entity::update_many()
            .set(chat::ActiveModel {
                last_message_id: Set(Some(id)),
                ..Default::default()
            })
            .filter(chat::Column::Id.eq(chat_id))
            .exec(&self.connection)
            .await?;
        Ok((chat_id, id))
    }

    async fn chat(&self, household: &Household) -> Result<(entity::DeviceId, entity::ChatId)> {
        let device_id = self.device(household).await?;
        let row = chat::ActiveModel {
            id: Set(new_id()),
            tenant_id: Set(household.tenant.id),
            device_id: Set(device_id),
            jid: Set("6281200000002@s.whatsapp.net".to_owned()),
            kind: Set(chat::Kind::Direct),
            name: Set(Some(household.tenant.name.clone())),
            unread_count: Set(1),
            last_message_at: Set(Some(self.app.clock.now())),
            created_at: Set(self.app.clock.now()),
            ..Default::default()
        };
        let id = row.id.clone().unwrap();
        chat::Entity::insert(row)
            .exec_without_returning(&self.connection)
            .await?;
        Ok((device_id, id))
    }
}

/// Ids that nothing has.
pub fn absent(kinds: &[String]) -> BTreeMap<String, String> {
    let id = |kind: &str| match kind {
        "Device" => new_id::<entity::DeviceId>().to_string(),
        "Chat" => new_id::<entity::ChatId>().to_string(),
        "Message" => new_id::<entity::MessageId>().to_string(),
        "Tenant" => new_id::<entity::TenantId>().to_string(),
        "AccessGrant" => new_id::<entity::AccessGrantId>().to_string(),
        "Plan" => new_id::<entity::PlanId>().to_string(),
        "User" => new_id::<entity::UserId>().to_string(),
        "Member" => new_id::<entity::MembershipId>().to_string(),
        "Invitation" => new_id::<entity::InvitationId>().to_string(),
        "ApiToken" => new_id::<entity::ApiTokenId>().to_string(),
        "AuditEntry" => new_id::<entity::AuditEntryId>().to_string(),
        "Session" => new_id::<entity::SessionId>().to_string(),
        _ => panic!("what does the id of a {kind} look like? Add it to `absent` in tests/api/sweep/objects.rs"),
    };
    kinds.iter().map(|kind| (kind.clone(), id(kind))).collect()
}

/// An address that nobody has.
pub(super) fn fresh_email() -> String {
    format!("{}@kabar.test", new_id::<entity::UserId>())
}
