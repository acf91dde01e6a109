//! The checked-in schema.

use std::collections::BTreeMap;

use anyhow::Result;
use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition},
    },
};

use super::expectations;

const SCHEMA: &str = include_str!("../../../api/schema.graphql");
pub const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// Every type of the schema by its name.
pub struct Contract {
    pub(super) types: BTreeMap<String, Kind>,
}

pub(super) enum Kind {
    Scalar,
    Enum(Vec<String>),
    Object {
        fields: Vec<Field>,
        implements: Vec<String>,
    },
    Interface(Vec<Field>),
    Union(Vec<String>),
    Input {
        fields: Vec<Argument>,
        one_of: bool,
    },
}

/// A field of an object.
#[derive(Clone)]
pub struct Field {
    pub name: String,
    pub(super) arguments: Vec<Argument>,
    /// The named type behind lists and exclamation marks.
    pub target: String,
}

#[derive(Clone)]
pub(super) struct Argument {
    pub(super) name: String,
    /// As the schema writes it.
    pub(super) written: String,
    pub(super) target: String,
    pub(super) list: bool,
    pub(super) required: bool,
}

fn named(ty: &Type) -> String {
    match &ty.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inner) => named(inner),
    }
}

fn argument(input: &InputValueDefinition) -> Argument {
    let ty = &input.ty.node;
    Argument {
        name: input.name.node.to_string(),
        written: ty.to_string(),
        target: named(ty),
        list: matches!(ty.base, BaseType::List(_)),
        required: !ty.nullable && input.default_value.is_none(),
    }
}

impl Contract {
    pub fn read() -> Result<Self> {
        let document = parse_schema(SCHEMA)?;
        let fields = |definitions: &[Positioned<FieldDefinition>]| {
            let field = |field: &Positioned<FieldDefinition>| Field {
                name: field.node.name.node.to_string(),
                arguments: field.node.arguments.iter().map(|input| argument(&input.node)).collect(),
                target: named(&field.node.ty.node),
            };
            definitions.iter().map(field).collect::<Vec<_>>()
        };
        let mut types = BTreeMap::new();
        for scalar in ["ID", "String", "Int", "Float", "Boolean"] {
            types.insert(scalar.to_owned(), Kind::Scalar);
        }
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let definition = definition.node;
            let one_of = definition
                .directives
                .iter()
                .any(|directive| directive.node.name.node == "oneOf");
            let kind = match definition.kind {
                TypeKind::Scalar => Kind::Scalar,
                TypeKind::Enum(kind) => Kind::Enum(
                    kind.values
                        .iter()
                        .map(|value| value.node.value.node.to_string())
                        .collect(),
                ),
                TypeKind::Object(kind) => Kind::Object {
                    fields: fields(&kind.fields),
                    implements: kind.implements.iter().map(|name| name.node.to_string()).collect(),
                },
                TypeKind::Interface(kind) => Kind::Interface(fields(&kind.fields)),
                TypeKind::Union(kind) => Kind::Union(kind.members.iter().map(|name| name.node.to_string()).collect()),
                TypeKind::InputObject(kind) => Kind::Input {
                    fields: kind.fields.iter().map(|input| argument(&input.node)).collect(),
                    one_of,
                },
            };
            types.insert(definition.name.node.to_string(), kind);
        }
        Ok(Self { types })
    }

    /// The fields of a type.
    pub fn fields(&self, of: &str) -> &[Field] {
        match self.types.get(of) {
            Some(Kind::Object { fields, .. } | Kind::Interface(fields)) => fields,
            _ => &[],
        }
    }

    pub(super) fn is_composite(&self, name: &str) -> bool {
        matches!(
            self.types.get(name),
            Some(Kind::Object { .. } | Kind::Interface(_) | Kind::Union(_))
        )
    }

    /// The objects that may stand where `name` is said.
    pub(super) fn possible(&self, name: &str) -> Vec<String> {
        match self.types.get(name) {
            Some(Kind::Union(members)) => members.clone(),
            Some(Kind::Interface(_)) => {
                let is_one = |kind: &Kind| matches!(kind, Kind::Object { implements, .. } if implements.iter().any(|of| of == name));
                let found = self.types.iter().filter(|(_, kind)| is_one(kind));
                found.map(|(name, _)| name.clone()).collect()
            }
            _ => vec![name.to_owned()],
        }
    }

    /// What implements `Node`.
    pub fn nodes(&self) -> Vec<String> {
        self.possible("Node")
    }

    /// Fields that lead from one object to others: `(type, field)`.
    pub fn relations(&self) -> Vec<(String, Field)> {
        let mut found = Vec::new();
        for (name, kind) in &self.types {
            let Kind::Object { fields, .. } = kind else { continue };
            if ROOTS.contains(&name.as_str()) || is_wrapper(name) {
                continue;
            }
            let relations = fields.iter().filter(|field| {
                self.is_composite(&field.target) || expectations::asks_for_more(&format!("{name}.{}", field.name))
            });
            found.extend(relations.map(|field| (name.clone(), field.clone())));
        }
        found
    }
}

/// Types that only hold others, and belong to whoever answered.
pub fn is_wrapper(name: &str) -> bool {
    name.ends_with("Payload") || name.ends_with("Connection") || name.ends_with("Edge") || name.starts_with("Sandbox")
}
