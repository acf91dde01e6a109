//! Everybody who may knock, and what each may expect.

use anyhow::{Context, Result};
use api::tenants::{Permission, Scope};
use entity::membership::Role;
use serde_json::{Value, json};
use tests::{Client, PASSWORD};

use super::expectations::{self, Rule};
use super::objects::fresh_email;
use super::world::{World, join};

/// Somebody who calls.
#[derive(Clone)]
pub struct Caller {
    pub name: String,
    pub client: Client,
    pub standing: Standing,
}

/// As what somebody calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Without a token, or with one that has ended.
    Nobody,
    Role(Role),
    Scope(Scope),
    /// An owner of a tenant that is suspended.
    Suspended,
    /// A person who runs the platform, and an owner of another tenant.
    Operator,
}

/// What a caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Allowed,
    Refused(&'static str),
}

impl Standing {
    fn permits(self, rule: Rule) -> bool {
        match (rule, self) {
            (Rule::Public, _) => true,
            (_, Self::Nobody) => false,
            (Rule::Caller | Rule::WithObject, _) => true,
            (Rule::Person, _) => !matches!(self, Self::Scope(_)),
            (Rule::Operator, _) => self == Self::Operator,
            (Rule::Needs(permission), Self::Scope(scope)) => permission.is_in(&[scope]),
            (Rule::Needs(permission), Self::Role(of)) => permission.is_of(of),
            (Rule::Needs(permission), Self::Suspended | Self::Operator) => permission.is_of(Role::Owner),
        }
    }

    /// Whether a field may be asked for, by its coordinate. What nobody has decided about may not.
    pub fn may(self, coordinate: &str) -> bool {
        let itself = expectations::rule(coordinate).is_some_and(|rule| self.permits(rule));
        let node = !coordinate.starts_with("Query.node(") || self.permits(Rule::Needs(Permission::Read));
        itself && node
    }

    /// What the table and the list of exceptions promise.
    pub fn expected(self, coordinate: &str) -> Expected {
        if !self.may(coordinate) {
            return Expected::Refused(if self == Self::Nobody {
                "UNAUTHENTICATED"
            } else {
                "FORBIDDEN"
            });
        }
        match expectations::rule(coordinate) {
            Some(Rule::Needs(permission))
                if self == Self::Suspended && coordinate.starts_with("Mutation.") && !permission.only_reads() =>
            {
                Expected::Refused("TENANT_SUSPENDED")
            }
            _ => Expected::Allowed,
        }
    }
}

impl World {
    /// Whoever has no token, or one that has ended.
    pub fn nobodies(&self) -> Vec<Caller> {
        let nobody = Caller {
            name: "nobody".to_owned(),
            client: self.app.client.anonymous(),
            standing: Standing::Nobody,
        };
        [nobody].into_iter().chain(self.ended.iter().cloned()).collect()
    }

    /// A person of every role and a program of every scope, in our tenant.
    pub async fn insiders(&self) -> Result<Vec<Caller>> {
        let mut callers = Vec::new();
        for role in [Role::Owner, Role::Admin, Role::Agent, Role::Analyst] {
            let email = fresh_email();
            join(&self.connection, self.ours.tenant.id, role, &email).await?;
            callers.push(Caller {
                name: format!("{role:?}").to_uppercase(),
                client: self.app.client.login(&email, PASSWORD).await?.0,
                standing: Standing::Role(role),
            });
        }
        for scope in Scope::ALL {
            callers.push(Caller {
                name: format!("a program with {}", scope.as_str()),
                client: program(&self.ours.owner, json!([scope.as_str()]), Value::Null).await?,
                standing: Standing::Scope(scope),
            });
        }
        Ok(callers)
    }

    /// The owner of the suspended tenant.
    pub fn suspended(&self) -> Caller {
        Caller {
            name: "the owner of a suspended tenant".to_owned(),
            client: self.suspended.owner.clone(),
            standing: Standing::Suspended,
        }
    }

    /// People of other tenants.
    pub fn strangers(&self) -> Vec<Caller> {
        let stranger = Caller {
            name: "a stranger".to_owned(),
            client: self.theirs.owner.clone(),
            standing: Standing::Role(Role::Owner),
        };
        vec![stranger, self.operator()]
    }

    /// Who runs the platform, without a grant for any tenant.
    pub fn operator(&self) -> Caller {
        Caller {
            name: "an operator without a grant".to_owned(),
            client: self.app.client.clone(),
            standing: Standing::Operator,
        }
    }
}

/// A new API token of a tenant.
pub(super) async fn program(owner: &Client, scopes: Value, expires_at: Value) -> Result<Client> {
    let document =
        "mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) { secret userErrors { code } } }";
    let input = json!({ "input": { "name": "Sweep", "scopes": scopes, "expiresAt": expires_at } });
    let made = owner.mutate(document, input, "createApiToken").await?;
    Ok(owner.with_token(made["secret"].as_str().context("no secret")?))
}
