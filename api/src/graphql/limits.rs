//! What a query may ask for: checked before it is validated, so that a query which is made to be expensive costs little.
//!
//! Validators walk a fragment once for every place it is spread in, so thirty fragments that spread each other twice are a
//! thousand million steps; an alias lets one field be asked for thousands of times. Both are counted here first, each
//! fragment once. Resolvers never see a document that was not admitted.

use async_graphql::{
    Pos, Positioned, Value, Variables,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
    },
};

pub use super::measure::answered;
use super::{measure, measure::Meter, nesting};
use crate::config::Graphql;

/// Validating takes the square of this, in the worst case.
const MOST_STEPS: u64 = 3_000;

/// Why a query is not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Stable; clients switch on it.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// Where in the document.
    pub position: Option<Pos>,
}

/// A query that may be run.
#[derive(Debug)]
pub struct Admitted {
    /// The parsed document.
    pub document: ExecutableDocument,
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// What the operation asks for at its root.
    pub root_fields: Vec<String>,
    /// How much it may cost: one per field, times the pages it is nested in.
    pub cost: u64,
    /// How many selections it has when every fragment is written out: what validating it costs.
    pub steps: u64,
}

/// Parses a query and checks it against the limits.
pub fn admit(
    query: &str,
    operation_name: Option<&str>,
    variables: &Variables,
    limits: &Graphql,
) -> Result<Admitted, Refused> {
    if query.len() > limits.max_document_bytes {
        let most = limits.max_document_bytes;
        return Err(refused(
            "QUERY_TOO_LARGE",
            format!("The query is longer than {most} bytes."),
        ));
    }
    if !nesting::is_shallow(query) {
        return Err(refused("QUERY_TOO_DEEP", "The query is nested too deeply.".to_owned()));
    }
    let document = parse_query(query).map_err(|error| Refused {
        code: "GRAPHQL_PARSE_FAILED",
        message: error.to_string(),
        position: error.positions().next(),
    })?;
    let aliases = measure::aliases(&document);
    if aliases > limits.max_aliases {
        let message = format!(
            "The query has {aliases} aliases; at most {} are allowed.",
            limits.max_aliases
        );
        return Err(refused("QUERY_TOO_COMPLEX", message));
    }
    let operation = choose(&document, operation_name)?;
    let (kind, position) = (operation.node.ty, operation.pos);
    check_variables(&operation.node, variables)?;
    let mut meter = Meter::new(&document, variables);
    let measured = meter.selection(&operation.node.selection_set.node);
    let root_fields = meter.root_fields(&operation.node.selection_set.node);
    let at = |code, message| Refused {
        code,
        message,
        position: Some(position),
    };
    if meter.spreads_itself() {
        return Err(at("GRAPHQL_VALIDATION_FAILED", "A fragment spreads itself.".to_owned()));
    }
    if root_fields.len() > limits.max_root_fields {
        let message = format!("At most {} fields are allowed at the root.", limits.max_root_fields);
        return Err(at("QUERY_TOO_COMPLEX", message));
    }
    if measured.depth > limits.max_depth {
        let message = format!(
            "The query is {} levels deep; at most {} are allowed.",
            measured.depth, limits.max_depth
        );
        return Err(at("QUERY_TOO_DEEP", message));
    }
    if measured.steps > MOST_STEPS {
        let message = format!("The query has more than {MOST_STEPS} fields when its fragments are written out.");
        return Err(at("QUERY_TOO_COMPLEX", message));
    }
    if measured.cost > limits.max_complexity {
        let message = format!(
            "The query may cost {}; at most {} is allowed. Ask for smaller pages or fewer fields.",
            measured.cost, limits.max_complexity
        );
        return Err(at("QUERY_TOO_COMPLEX", message));
    }
    Ok(Admitted {
        kind,
        root_fields,
        cost: measured.cost,
        steps: measured.steps,
        document,
    })
}

fn refused(code: &'static str, message: String) -> Refused {
    Refused {
        code,
        message,
        position: None,
    }
}

fn choose<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Result<&'d Positioned<OperationDefinition>, Refused> {
    let unknown = || {
        let name = name.unwrap_or_default();
        refused(
            "GRAPHQL_VALIDATION_FAILED",
            format!("There is no operation named \"{name}\" in the query."),
        )
    };
    match (&document.operations, name) {
        // GraphQL allows an empty name where there is no choice to make, and clients send it.
        (DocumentOperations::Single(operation), None | Some("")) => Ok(operation),
        (DocumentOperations::Single(_), Some(_)) => Err(unknown()),
        (DocumentOperations::Multiple(operations), Some(name)) if !name.is_empty() => {
            operations.get(name).ok_or_else(unknown)
        }
        (DocumentOperations::Multiple(operations), _) => match operations.values().next() {
            Some(operation) if operations.len() == 1 => Ok(operation),
            _ => Err(refused(
                "GRAPHQL_VALIDATION_FAILED",
                "Say by operationName which operation to run.".to_owned(),
            )),
        },
    }
}

/// A variable that must have a value has one. The library only notices where the variable is used.
fn check_variables(operation: &OperationDefinition, variables: &Variables) -> Result<(), Refused> {
    for definition in &operation.variable_definitions {
        let name = &definition.node.name.node;
        let given = variables.get(name).is_some_and(|value| *value != Value::Null);
        if !definition.node.var_type.node.nullable && definition.node.default_value.is_none() && !given {
            return Err(Refused {
                code: "GRAPHQL_VALIDATION_FAILED",
                message: format!("The variable \"${name}\" must have a value."),
                position: Some(definition.pos),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::config::Config;

    fn limits() -> Graphql {
        let config = Config::for_tests(&[("secret_key", "0123456789abcdef0123456789abcdef-test")]);
        config.expect("the defaults are valid").graphql
    }

    fn try_query(query: &str) -> Result<Admitted, Refused> {
        admit(query, None, &Variables::default(), &limits())
    }

    #[test]
    fn ordinary_queries_are_admitted_with_their_root_fields() {
        let query = "query A { viewer { user { name } } ...B } fragment B on Query { tenant { id } }";
        let admitted = try_query(query).expect("admitted");
        assert_eq!(admitted.root_fields, ["viewer", "tenant"]);
        assert_eq!(admitted.cost, 5);
        assert_eq!(admitted.kind, OperationType::Query);
    }

    #[test]
    fn cost_is_multiplied_by_page_sizes() {
        let cost = |query| try_query(query).expect("admitted").cost;
        assert_eq!(cost("{ devices(first: 10) { nodes { id } } }"), 21);
        assert_eq!(cost("{ devices { nodes { id } } }"), 51);
        let nested = "{ devices(first: 100) { nodes { chats(first: 100) { nodes { id name } } } } }";
        assert_eq!(try_query(nested).map_err(|refused| refused.code).map(|_| ()), Ok(()));
        let deeper = "{ devices(first: 100) { nodes { chats(first: 100) { nodes { messages(first: 100) { nodes { id } } } } } } }";
        assert_eq!(
            try_query(deeper).map_err(|refused| refused.code).err(),
            Some("QUERY_TOO_COMPLEX")
        );
    }

    #[test]
    fn aliases_are_counted() {
        let mut query = String::from("{");
        for alias in 0..100 {
            write!(query, " a{alias}: __typename").expect("strings can be written");
        }
        query.push('}');
        assert_eq!(try_query(&query).expect_err("too many").code, "QUERY_TOO_COMPLEX");
    }

    #[test]
    fn fragments_that_double_each_other_are_refused_at_once() {
        let mut query = String::from("{ ...f0 }");
        for fragment in 0..60 {
            let next = fragment + 1;
            write!(
                query,
                " fragment f{fragment} on Query {{ viewer {{ ...f{next} ...f{next} }} }}"
            )
            .expect("written");
        }
        query.push_str(" fragment f60 on Query { viewer { role } }");
        let began = std::time::Instant::now();
        assert!(try_query(&query).is_err());
        assert!(began.elapsed().as_secs() < 2);
    }

    #[test]
    fn doubling_without_depth_is_refused_by_its_cost() {
        let mut query = String::from("{ ...f0 }");
        for fragment in 0..100 {
            let next = fragment + 1;
            write!(query, " fragment f{fragment} on Query {{ ...f{next} ...f{next} }}").expect("written");
        }
        query.push_str(" fragment f100 on Query { viewer { role } }");
        let began = std::time::Instant::now();
        assert_eq!(try_query(&query).expect_err("too many").code, "QUERY_TOO_COMPLEX");
        assert!(began.elapsed().as_secs() < 2);
    }

    #[test]
    fn a_fragment_that_spreads_itself_is_refused() {
        let query = "{ ...a } fragment a on Query { viewer { role } ...b } fragment b on Query { ...a }";
        assert_eq!(try_query(query).expect_err("refused").code, "GRAPHQL_VALIDATION_FAILED");
    }

    #[test]
    fn deep_queries_are_refused_and_deep_introspection_is_not() {
        let deep = format!("{}{}", "{ a".repeat(16), "}".repeat(16));
        assert_eq!(try_query(&deep).expect_err("too deep").code, "QUERY_TOO_DEEP");
        let introspection = format!("{{ __schema {} {}", "{ ofType".repeat(18), "}".repeat(19));
        assert!(try_query(&introspection).is_ok());
    }

    #[test]
    fn missing_variables_and_unknown_operations_are_refused() {
        assert!(try_query("query A($id: ID!) { __typename }").is_err());
        assert!(try_query("query A($id: ID! = \"x\") { __typename }").is_ok());
        assert!(try_query("query A { a } query B { b }").is_err());
        let named = admit(
            "query A { a } query B { b }",
            Some("B"),
            &Variables::default(),
            &limits(),
        );
        assert_eq!(named.expect("admitted").root_fields, ["b"]);
        assert!(admit("{ a }", Some("B"), &Variables::default(), &limits()).is_err());
    }
}
