//! Documents that are generated from the schema: a call of every field, and the way to a field of an object.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::contract::{Argument, Contract, Field, Kind, is_wrapper};
use super::expectations;

/// A document with its variables; ids stand in them as `‹Device›`.
#[derive(Clone)]
pub struct Call {
    /// `Query.devices`
    pub coordinate: String,
    /// The root field.
    pub field: String,
    pub document: String,
    pub variables: Value,
}

impl Call {
    /// The kinds of objects that it names.
    pub fn kinds(&self) -> Vec<String> {
        let text = self.variables.to_string();
        let mut kinds: Vec<String> = text
            .split('‹')
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('›')?.0.to_owned()))
            .collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }

    /// The variables with these ids.
    pub fn with(&self, ids: &BTreeMap<String, String>) -> Value {
        let mut text = self.variables.to_string();
        for (kind, id) in ids {
            text = text.replace(&format!("‹{kind}›"), id);
        }
        serde_json::from_str(&text).expect("ids hold nothing that JSON escapes")
    }
}

/// One step into the schema: a field, and which type its answer is taken for.
#[derive(Clone)]
struct Step {
    field: Field,
    as_type: Option<String>,
}

impl Contract {
    /// Calls a root field with what it requires, and with an id wherever it takes one.
    pub fn call(&self, root: &str, field: &Field) -> Result<Call> {
        let step = Step {
            field: field.clone(),
            as_type: None,
        };
        self.document(root, &[step], None)
    }

    /// `node` with the id of one kind.
    pub fn call_node(&self, kind: &str) -> Result<Call> {
        let node = self.fields("Query").iter().find(|field| field.name == "node");
        let step = Step {
            field: node.context("there is no `node`")?.clone(),
            as_type: Some(kind.to_owned()),
        };
        let mut call = self.document("Query", &[step], None)?;
        call.coordinate = format!("Query.node({kind})");
        Ok(call)
    }

    /// The shortest way for somebody who `may` go through some fields (coordinates) to a field of a type.
    pub fn way_to(&self, of: &str, field: &Field, may: &dyn Fn(&str) -> bool) -> Result<Option<Call>> {
        for root in ["Query", "Mutation"] {
            let mut ways: Vec<(String, Vec<Step>)> = vec![(root.to_owned(), Vec::new())];
            for _ in 0..5 {
                let mut further = Vec::new();
                for (at, steps) in &ways {
                    if at == of {
                        let last = Step {
                            field: field.clone(),
                            as_type: None,
                        };
                        let steps: Vec<Step> = steps.iter().cloned().chain([last]).collect();
                        return self
                            .document(root, &steps, Some(&format!("{of}.{}", field.name)))
                            .map(Some);
                    }
                    for next in self.fields(at).iter().filter(|next| self.is_composite(&next.target)) {
                        let seen = steps.iter().any(|step| step.field.target == next.target);
                        let is_open = is_wrapper(at) || may(&format!("{at}.{}", next.name));
                        if seen || !is_open || expectations::is_no_way(&next.name) {
                            continue;
                        }
                        for possible in self.possible(&next.target) {
                            let as_type = (possible != next.target).then(|| possible.clone());
                            if next.name == "node" && !may(&format!("Query.node({possible})")) {
                                continue;
                            }
                            let mut steps = steps.clone();
                            steps.push(Step {
                                field: next.clone(),
                                as_type,
                            });
                            further.push((possible, steps));
                        }
                    }
                }
                ways = further;
            }
        }
        Ok(None)
    }

    fn document(&self, root: &str, steps: &[Step], coordinate: Option<&str>) -> Result<Call> {
        let (mut head, mut variables) = (Vec::new(), serde_json::Map::new());
        let (mut body, mut end) = (String::new(), String::new());
        let first = steps.first().context("a way begins somewhere")?;
        for step in steps {
            let field = &step.field;
            let mut arguments = Vec::new();
            for argument in &field.arguments {
                let wanted = argument.required
                    || self.holds_id(&argument.target, 0)
                    || (root == "Subscription" && argument.target == "Cursor");
                if !wanted {
                    continue;
                }
                let variable = format!("v{}", variables.len());
                let context = step.as_type.as_deref().filter(|_| field.name == "node");
                let value = self.value(argument, context.unwrap_or(&field.name))?;
                arguments.push(format!("{}: ${variable}", argument.name));
                head.push(format!("${variable}: {}", argument.written));
                variables.insert(variable, value);
            }
            let arguments = if arguments.is_empty() {
                String::new()
            } else {
                format!("({})", arguments.join(", "))
            };
            if !self.is_composite(&field.target) {
                let _ = write!(body, "{}{arguments}", field.name);
                continue;
            }
            let _ = write!(body, "{}{arguments} {{ __typename ", field.name);
            end += " }";
            if let Some(of) = &step.as_type {
                let _ = write!(body, "... on {of} {{ ");
                end += " }";
            }
        }
        let last = &steps[steps.len() - 1];
        body += &self.selection(last.as_type.as_deref().unwrap_or(&last.field.target), 0);
        let head = if head.is_empty() {
            String::new()
        } else {
            format!("({})", head.join(", "))
        };
        Ok(Call {
            coordinate: coordinate.map_or_else(|| format!("{root}.{}", first.field.name), str::to_owned),
            field: first.field.name.clone(),
            document: format!("{} {head} {{ {body}{end} }}", root.to_lowercase()),
            variables: Value::Object(variables),
        })
    }

    /// Everything of an answer that leads to no other object.
    fn selection(&self, of: &str, depth: u32) -> String {
        match self.types.get(of) {
            Some(Kind::Object { fields, .. }) => {
                let mut chosen = String::from("__typename ");
                for field in fields
                    .iter()
                    .filter(|field| field.arguments.iter().all(|argument| !argument.required))
                {
                    if !self.is_composite(&field.target) {
                        if expectations::asks_for_more(&format!("{of}.{}", field.name)) {
                            continue;
                        }
                        let _ = write!(chosen, "{} ", field.name);
                    } else if is_wrapper(of) && depth < 4 && field.name != "edges" && !of.starts_with("Sandbox") {
                        let inner = self.selection(&field.target, depth + 1);
                        let _ = write!(chosen, "{} {{ {inner} }} ", field.name);
                    }
                }
                chosen
            }
            Some(Kind::Interface(_) | Kind::Union(_)) => {
                let mut chosen = String::from("__typename ");
                for possible in self.possible(of) {
                    let leaves = self
                        .fields(&possible)
                        .iter()
                        .filter(|field| !self.is_composite(&field.target));
                    let leaves: Vec<String> = leaves.map(|field| format!("{possible}_{0}: {0}", field.name)).collect();
                    let _ = write!(chosen, "... on {possible} {{ {} }} ", leaves.join(" "));
                }
                chosen
            }
            _ => String::new(),
        }
    }

    fn holds_id(&self, target: &str, depth: u32) -> bool {
        match self.types.get(target) {
            Some(Kind::Input { fields, .. }) if depth < 4 => {
                fields.iter().any(|field| self.holds_id(&field.target, depth + 1))
            }
            _ => target == "ID",
        }
    }

    fn value(&self, argument: &Argument, context: &str) -> Result<Value> {
        let one = match self.types.get(&argument.target) {
            Some(Kind::Enum(values)) => {
                expectations::value_of(&argument.target, &argument.name).unwrap_or_else(|| json!(values.first()))
            }
            Some(Kind::Input { fields, one_of }) => {
                let mut value = serde_json::Map::new();
                let is_given =
                    |field: &Argument| expectations::is_given(&format!("{}.{}", argument.target, field.name));
                let chosen = fields
                    .iter()
                    .filter(|field| *one_of || field.required || self.holds_id(&field.target, 0) || is_given(field));
                for field in chosen.take(if *one_of { 1 } else { usize::MAX }) {
                    value.insert(field.name.clone(), self.value(field, context)?);
                }
                Value::Object(value)
            }
            _ if argument.target == "ID" => json!(format!("‹{}›", Self::kind_named(&argument.name, context)?)),
            _ => expectations::value_of(&argument.target, &argument.name).with_context(|| {
                format!(
                    "{context} takes a {}: say in VALUES of tests/api/sweep/expectations.rs what a valid one is",
                    argument.target
                )
            })?,
        };
        Ok(if argument.list { json!([one]) } else { one })
    }

    /// Which kind of object an id names: `deviceId` says so itself, `id` is of what the field is called after.
    fn kind_named(argument: &str, context: &str) -> Result<String> {
        let argument = argument
            .strip_suffix("Ids")
            .or_else(|| argument.strip_suffix("Id"))
            .unwrap_or(argument);
        let said = if argument == "id" { context } else { argument };
        if let Some(kind) = expectations::kind_called(said) {
            return Ok(kind.to_owned());
        }
        let said = said.to_lowercase();
        let kinds = expectations::KINDS
            .iter()
            .filter(|(kind, _)| said.contains(&kind.to_lowercase()));
        match kinds.max_by_key(|(kind, _)| kind.len()) {
            Some((kind, _)) => Ok((*kind).to_owned()),
            None => bail!(
                "{context}: which object does its argument `{argument}` name? Add it to KINDS or CALLED in \
                 tests/api/sweep/expectations.rs"
            ),
        }
    }
}
