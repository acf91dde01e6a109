//! Three tenants with something of every kind in them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use api::clock::new_id;
use entity::membership::Role;
use entity::{membership, tenant, user_account};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde_json::json;
use tests::{Client, PASSWORD, TestApp, TestDatabase};

use super::callers::{Caller, Standing, program};
use super::expectations::KINDS;

/// What stands in every text of the tenant that others must not see.
pub const SECRET: &str = "Kejora";

/// The server with its tenants.
pub struct World {
    pub app: TestApp,
    #[expect(clippy::disallowed_types, reason = "a test makes rows that the API would not")]
    pub(super) connection: sea_orm::DatabaseConnection,
    /// Whose objects are asked for.
    pub ours: Household,
    /// Another tenant.
    pub theirs: Household,
    pub suspended: Household,
    /// A session and an API token that have ended.
    pub ended: Vec<Caller>,
}

/// A tenant with an owner, and an object of every kind.
pub struct Household {
    pub(super) tenant: tenant::Model,
    pub(super) owner_id: entity::UserId,
    pub owner: Client,
    /// Ids by kind.
    pub objects: BTreeMap<String, String>,
}

impl Household {
    /// What its objects must not show to others: their ids and names.
    pub fn marks(&self) -> Vec<&str> {
        self.objects.values().map(String::as_str).chain([SECRET]).collect()
    }
}

impl World {
    pub async fn new(database: TestDatabase) -> Result<Self> {
        // Everything here comes from one address, and far oftener than people would.
        let settings = [
            ("login.attempts_per_account", "100000"),
            ("login.attempts_per_address", "100000"),
        ];
        let mut app = TestApp::with(database, &settings).await?;
        let connection = tests::connect(&app.database.url()).await?;
        let mut tenants = Vec::new();
        for name in [SECRET, "Stranger", "Suspended"] {
            tenants.push(settle(&connection, name).await?);
        }
        let knocking = app.client.anonymous();
        let log_in = |place: usize| {
            let client = knocking.clone();
            let email = format!("owner@{}.test", tenants[place].0.slug);
            async move { anyhow::Ok(client.login(&email, PASSWORD).await?.0) }
        };
        let early = log_in(0).await?;
        let end = app.clock.now() + chrono::TimeDelta::minutes(5);
        let program = program(&early, json!(["READ"]), json!(end)).await?;
        app.clock.advance(chrono::TimeDelta::minutes(20));
        app.client = app.client.login(tests::EMAIL, PASSWORD).await?.0;
        let ended = [("an ended session", early), ("an ended program", program)]
            .map(|(name, client)| Caller {
                name: name.to_owned(),
                client,
                standing: Standing::Nobody,
            })
            .into();
        let owners = [log_in(0).await?, log_in(1).await?, log_in(2).await?];
        let mut households: Vec<Household> = tenants
            .into_iter()
            .zip(owners)
            .map(|((tenant, owner_id), owner)| Household {
                tenant,
                owner_id,
                owner,
                objects: BTreeMap::new(),
            })
            .collect();
        let suspended = households.pop().context("three tenants")?;
        let theirs = households.pop().context("three tenants")?;
        let ours = households.pop().context("three tenants")?;
        let mut world = Self {
            app,
            connection,
            ours,
            theirs,
            suspended,
            ended,
        };
        world.ours.objects = world.furnish(&world.ours).await?;
        world.theirs.objects = world.furnish(&world.theirs).await?;
        world.suspended.objects = world.furnish(&world.suspended).await?;
        let suspend = "mutation($id: ID!) { suspendTenant(input: { id: $id }) { userErrors { code } } }";
        let id = json!({ "id": world.suspended.tenant.id.to_string() });
        world.app.client.mutate(suspend, id, "suspendTenant").await?;
        Ok(world)
    }

    async fn furnish(&self, household: &Household) -> Result<BTreeMap<String, String>> {
        let mut objects = BTreeMap::new();
        for (kind, _) in KINDS {
            let id = match *kind {
                "Tenant" => household.tenant.id.to_string(),
                _ => self.make(household, kind).await?,
            };
            objects.insert((*kind).to_owned(), id);
        }
        Ok(objects)
    }

    /// Fresh objects of these kinds.
    pub async fn make_all(&self, household: &Household, kinds: &[String]) -> Result<BTreeMap<String, String>> {
        let mut made = BTreeMap::new();
        for kind in kinds {
            made.insert(kind.clone(), self.make(household, kind).await?);
        }
        Ok(made)
    }
}

/// A tenant like the first one, with an owner. Whoever is made here has the operator's password.
#[expect(clippy::disallowed_types, reason = "a test makes rows that the API would not")]
async fn settle(connection: &sea_orm::DatabaseConnection, name: &str) -> Result<(tenant::Model, entity::UserId)> {
    let home = tenant::Entity::find()
        .one(connection)
        .await?
        .context("there is no tenant")?;
    let mut row = home.into_active_model();
    row.id = Set(new_id());
    row.name = Set(name.to_owned());
    row.slug = Set(name.to_lowercase());
    let row = tenant::Entity::insert(row).exec_with_returning(connection).await?;
    let email = format!("owner@{}.test", row.slug);
    let (owner, _) = join(connection, row.id, Role::Owner, &email).await?;
    Ok((row, owner))
}

/// A person with a role in a tenant.
#[expect(clippy::disallowed_types, reason = "a test makes rows that the API would not")]
pub(super) async fn join(
    connection: &sea_orm::DatabaseConnection,
    tenant_id: entity::TenantId,
    role: Role,
    email: &str,
) -> Result<(entity::UserId, entity::MembershipId)> {
    let operator = user_account::Entity::find().filter(user_account::Column::Operator.eq(true));
    let operator = operator.one(connection).await?.context("there is no operator")?;
    let now = operator.created_at;
    let mut person = operator.into_active_model();
    person.id = Set(new_id());
    person.email = Set(email.to_owned());
    person.operator = Set(false);
    let user_id = person.id.clone().unwrap();
    user_account::Entity::insert(person)
        .exec_without_returning(connection)
        .await?;
    let member = membership::ActiveModel {
        id: Set(new_id()),
        tenant_id: Set(tenant_id),
        user_id: Set(user_id),
        role: Set(role),
        created_at: Set(now),
    };
    let id = member.id.clone().unwrap();
    membership::Entity::insert(member)
        .exec_without_returning(connection)
        .await?;
    Ok((user_id, id))
}
