//! A user of the API: GraphQL over HTTP, as any program would speak it.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::subscription::Subscription;

/// Speaks to one Kabar, logged in or not.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// A GraphQL answer, taken apart.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub data: Value,
    pub errors: Vec<Value>,
}

impl Response {
    /// `extensions.code` of the first error.
    pub fn code(&self) -> Option<&str> {
        self.errors.first()?["extensions"]["code"].as_str()
    }
}

impl Client {
    pub fn new(base: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            base: base.to_owned(),
            token: None,
        }
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    pub fn anonymous(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Logs in; fails with the user errors' codes.
    pub async fn login(&self, email: &str, password: &str) -> Result<(Self, Value)> {
        let document = "mutation($input: LoginInput!) { login(input: $input) {
            accessToken refreshToken expiresAt viewer { user { id email } tenant { id name } role }
            userErrors { code message field } } }";
        let input = json!({ "input": { "email": email, "password": password } });
        let payload = self.anonymous().mutate(document, input, "login").await?;
        let token = payload["accessToken"].as_str().context("login gave no token")?;
        Ok((self.with_token(token), payload))
    }

    /// Sends a document and returns what came back, whatever it is.
    pub async fn send(&self, document: &str, variables: Value) -> Result<Response> {
        let mut request = self
            .http
            .post(format!("{}/graphql", self.base))
            .header("accept", "application/graphql-response+json, application/json;q=0.9")
            .json(&json!({ "query": document, "variables": variables }));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.context("the server does not answer")?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        let body: Value =
            serde_json::from_str(&text).with_context(|| format!("status {status}, and no JSON: {text}"))?;
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        Ok(Response {
            status,
            data: body["data"].clone(),
            errors,
        })
    }

    /// Sends a document that must have no errors; returns its data.
    pub async fn query(&self, document: &str, variables: Value) -> Result<Value> {
        let response = self.send(document, variables.clone()).await?;
        if !response.errors.is_empty() {
            bail!(
                "{document}\nwith {variables}\nfailed: {}",
                Value::Array(response.errors)
            );
        }
        Ok(response.data)
    }

    /// Sends a mutation whose payload must have no user errors; returns the payload.
    pub async fn mutate(&self, document: &str, variables: Value, field: &str) -> Result<Value> {
        let data = self.query(document, variables.clone()).await?;
        let payload = data[field].clone();
        match payload["userErrors"].as_array() {
            Some(errors) if !errors.is_empty() => {
                bail!("{field} with {variables} was refused: {}", Value::Array(errors.clone()))
            }
            _ => Ok(payload),
        }
    }

    /// Sends a mutation that must be refused; returns the first user error's code.
    pub async fn refused(&self, document: &str, variables: Value, field: &str) -> Result<String> {
        let data = self.query(document, variables.clone()).await?;
        let code = data[field]["userErrors"][0]["code"].as_str();
        code.map(str::to_owned)
            .with_context(|| format!("{field} with {variables} was not refused: {data}"))
    }

    /// Opens a subscription, authenticated by `connection_init`.
    pub async fn subscribe(&self, document: &str, variables: Value) -> Result<Subscription> {
        Subscription::open(&self.base, self.token.as_deref(), document, variables).await
    }

    /// A plain GET, with the token, whose body is read by whoever wants it.
    pub async fn open(&self, path: &str) -> Result<reqwest::Response> {
        let mut request = self.http.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Ok(request.send().await?)
    }

    /// A plain GET, with the token.
    pub async fn get(&self, path: &str) -> Result<(u16, Vec<u8>)> {
        let response = self.open(path).await?;
        Ok((response.status().as_u16(), response.bytes().await?.to_vec()))
    }
}
