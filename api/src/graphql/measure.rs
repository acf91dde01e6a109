//! What a document asks for, counted: aliases, depth, cost, and what validating it takes. Every fragment is measured once,
//! however often it is spread.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet},
};

/// What a page is thought to hold when the query does not say.
const USUAL_PAGE: u64 = 25;

/// How many aliases a document has, in all its operations and fragments.
pub fn aliases(document: &ExecutableDocument) -> usize {
    fn of_selection(set: &SelectionSet) -> usize {
        let of_item = |item: &Positioned<Selection>| match &item.node {
            Selection::Field(field) => {
                usize::from(field.node.alias.is_some()) + of_selection(&field.node.selection_set.node)
            }
            Selection::InlineFragment(fragment) => of_selection(&fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => 0,
        };
        set.items.iter().map(of_item).sum()
    }
    let operations: usize = match &document.operations {
        DocumentOperations::Single(operation) => of_selection(&operation.node.selection_set.node),
        DocumentOperations::Multiple(operations) => operations
            .values()
            .map(|operation| of_selection(&operation.node.selection_set.node))
            .sum(),
    };
    let fragments: usize = document
        .fragments
        .values()
        .map(|fragment| of_selection(&fragment.node.selection_set.node))
        .sum();
    operations + fragments
}

/// What an answer has cost: one per field that it holds.
pub fn answered(value: &async_graphql::Value) -> u64 {
    match value {
        async_graphql::Value::Object(fields) => fields.values().map(|field| 1 + answered(field)).sum(),
        async_graphql::Value::List(items) => items.iter().map(answered).sum(),
        _ => 0,
    }
}

/// What a selection amounts to.
#[derive(Clone, Copy, Default)]
pub struct Measure {
    /// How deep its fields are nested.
    pub depth: usize,
    /// How many fields it may answer, pages multiplied.
    pub cost: u64,
    /// How many steps a validator takes that walks a fragment wherever it is spread.
    pub steps: u64,
}

/// Measures selections; every fragment once.
pub struct Meter<'d> {
    document: &'d ExecutableDocument,
    variables: &'d Variables,
    /// `None` while a fragment is being measured.
    known: HashMap<&'d Name, Option<Measure>>,
    spreads_itself: bool,
}

impl<'d> Meter<'d> {
    /// Measures selections of a document.
    pub fn new(document: &'d ExecutableDocument, variables: &'d Variables) -> Self {
        Self {
            document,
            variables,
            known: HashMap::new(),
            spreads_itself: false,
        }
    }

    /// Whether a fragment that was measured spreads itself.
    pub fn spreads_itself(&self) -> bool {
        self.spreads_itself
    }

    /// Measures a selection with everything that it spreads.
    pub fn selection(&mut self, set: &'d SelectionSet) -> Measure {
        let mut sum = Measure::default();
        for item in &set.items {
            let part = match &item.node {
                Selection::Field(field) => self.field(&field.node),
                Selection::InlineFragment(fragment) => self.selection(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            };
            sum.depth = sum.depth.max(part.depth);
            sum.cost = sum.cost.saturating_add(part.cost);
            sum.steps = sum.steps.saturating_add(part.steps).saturating_add(1);
        }
        sum
    }

    fn field(&mut self, field: &'d Field) -> Measure {
        let inner = self.selection(&field.selection_set.node);
        let cost = inner.cost.saturating_mul(self.page_size(field)).saturating_add(1);
        // Introspection is nested deeply by every tool, and its answer is bounded by the schema.
        let depth = if field.name.node.starts_with("__") {
            1
        } else {
            inner.depth + 1
        };
        Measure {
            depth,
            cost,
            steps: inner.steps,
        }
    }

    fn fragment(&mut self, name: &Name) -> Measure {
        let fragments: &'d HashMap<Name, Positioned<FragmentDefinition>> = &self.document.fragments;
        let Some((name, fragment)) = fragments.get_key_value(name) else {
            return Measure::default();
        };
        if let Some(known) = self.known.get(name) {
            self.spreads_itself |= known.is_none();
            return known.unwrap_or_default();
        }
        self.known.insert(name, None);
        let measure = self.selection(&fragment.node.selection_set.node);
        self.known.insert(name, Some(measure));
        measure
    }

    /// How often a field's selection may be repeated: what `first` or `last` says.
    fn page_size(&self, field: &Field) -> u64 {
        let given = ["first", "last"].iter().find_map(|name| field.get_argument(name));
        let value = given.and_then(|value| {
            value
                .node
                .clone()
                .into_const_with(|name| self.variables.get(&name).cloned().ok_or(()))
                .ok()
        });
        match value {
            Some(Value::Number(size)) => size.as_u64().unwrap_or(USUAL_PAGE).max(1),
            Some(_) => USUAL_PAGE,
            None if given.is_some() || is_connection(field) => USUAL_PAGE,
            None => 1,
        }
    }

    /// The names of the fields at the root. A fragment that is spread again adds nothing new: its fields are merged.
    pub fn root_fields(&self, set: &'d SelectionSet) -> Vec<String> {
        let mut names = Vec::new();
        self.collect(set, &mut HashSet::new(), &mut names);
        names
    }

    fn collect(&self, set: &'d SelectionSet, seen: &mut HashSet<&'d Name>, names: &mut Vec<String>) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => names.push(field.node.name.node.to_string()),
                Selection::InlineFragment(fragment) => {
                    self.collect(&fragment.node.selection_set.node, seen, names);
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get_key_value(&spread.node.fragment_name.node);
                    if let Some((name, fragment)) = fragment
                        && seen.insert(name)
                    {
                        self.collect(&fragment.node.selection_set.node, seen, names);
                    }
                }
            }
        }
    }
}

/// Whether a field is a list in pages: it is asked for its edges or nodes.
fn is_connection(field: &Field) -> bool {
    field.selection_set.node.items.iter().any(|item| match &item.node {
        Selection::Field(field) => matches!(field.node.name.node.as_str(), "edges" | "nodes"),
        _ => false,
    })
}
