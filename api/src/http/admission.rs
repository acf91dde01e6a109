//! From a request's document to one that GraphQL may run: limits, and what strangers may ask for.

use std::sync::Arc;

use async_graphql::{Request, parser::types::OperationType};

use super::Services;
use crate::{
    graphql::{
        context::Transport,
        limits::{self, Admitted, Refused},
    },
    tenants::Principal,
};

/// What may be asked for without a valid token.
const PUBLIC_FIELDS: [&str; 13] = [
    "login",
    "completeLogin",
    "refreshSession",
    "logout",
    "requestPasswordReset",
    "passwordReset",
    "resetPassword",
    "passwordStrength",
    "invitation",
    "acceptInvitation",
    "__schema",
    "__type",
    "__typename",
];

/// The introspection queries of the usual tools have about two hundred.
const MOST_STEPS_OF_STRANGERS: u64 = 600;

/// A request that GraphQL may run.
pub struct Ready {
    /// With the parsed document and the caller in its data.
    pub request: Request,
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// How much it may cost.
    pub cost: u64,
}

/// Checks a request and puts the caller into it.
pub fn admit(
    services: &Services,
    mut request: Request,
    principal: Option<&Principal>,
    transport: &Arc<Transport>,
) -> Result<Ready, Refused> {
    let limits = &services.config.graphql;
    let offer = services.persisted.resolve(&mut request)?;
    let name = request.operation_name.as_deref();
    let admitted = limits::admit(&request.query, name, &request.variables, limits)?;
    let Admitted {
        document,
        kind,
        root_fields,
        cost,
        steps,
    } = admitted;
    if name == Some("") {
        request.operation_name = None;
    }
    if principal.is_none() && !root_fields.iter().all(|field| PUBLIC_FIELDS.contains(&field.as_str())) {
        return Err(unauthenticated());
    }
    if principal.is_none() && steps > MOST_STEPS_OF_STRANGERS {
        let message = "Log in first: the query has too many fields for a caller who is not.".to_owned();
        return Err(Refused {
            code: "QUERY_TOO_COMPLEX",
            message,
            position: None,
        });
    }
    if !limits.introspection {
        request = request.disable_introspection();
    }
    if principal.is_some()
        && let Some(offer) = offer
    {
        services.persisted.keep(offer);
    }
    request.set_parsed_query(document);
    request = request.data(Arc::clone(transport));
    if let Some(principal) = principal {
        request = request.data(principal.clone());
    }
    Ok(Ready { request, kind, cost })
}

/// The refusal of strangers.
pub fn unauthenticated() -> Refused {
    Refused {
        code: "UNAUTHENTICATED",
        message: "Log in first: the token is missing, expired or revoked.".to_owned(),
        position: None,
    }
}
