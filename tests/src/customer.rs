//! A tenant beside the operator's own, made as operators make them.

use anyhow::{Context, Result};
use serde_json::json;

use crate::client::Client;

/// A tenant with its owner.
#[derive(Clone, Debug)]
pub struct Customer {
    /// The tenant's id.
    pub id: String,
    /// The tenant's short name.
    pub slug: String,
    /// The owner, logged in.
    pub owner: Client,
    /// The owner's address and password.
    pub login: (String, String),
}

impl Customer {
    /// `operator` makes the tenant; its owner's address is made of the name.
    pub async fn create(operator: &Client, name: &str) -> Result<Self> {
        let document = "mutation($input: CreateTenantInput!) { createTenant(input: $input) {
            tenant { id slug } ownerPassword userErrors { code message } } }";
        let email = format!("owner@{}.test", name.to_lowercase());
        let input = json!({ "input": { "name": name, "ownerEmail": email } });
        let made = operator.mutate(document, input, "createTenant").await?;
        let password = made["ownerPassword"].as_str().context("no password")?.to_owned();
        let (owner, _) = operator.login(&email, &password).await?;
        let text = |name: &str| made["tenant"][name].as_str().map(str::to_owned).context("no tenant");
        Ok(Self {
            id: text("id")?,
            slug: text("slug")?,
            owner,
            login: (email, password),
        })
    }

    /// A device that is not linked.
    pub async fn device(&self) -> Result<String> {
        let document = "mutation { createDevice(input: { name: \"Device\" }) { device { id } userErrors { code } } }";
        let made = self.owner.mutate(document, json!({}), "createDevice").await?;
        Ok(made["device"]["id"].as_str().context("no device")?.to_owned())
    }
}
