//! The floors of api/src: no file imports upwards, and no circle of modules anywhere.
//!
//! A *unit* is a folder or file directly below api/src, except that the upper floor of `jobs` (its runner and
//! registry, which know the domains) counts apart from the lower (the queue, which the domains use).

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::source::Source;

/// From the ground up. A unit may use those on its own floor and below; a unit that is missing here is an error.
const FLOORS: [(&str, &[&str]); 9] = [
    (
        "ground",
        &["clock", "config", "logging", "pictures", "secret", "telemetry"],
    ),
    (
        "toolkit",
        &[
            "store", "keys", "engine", "fetch", "graphql", "mail", "phone", "jobs", "rates",
        ],
    ),
    ("tenants, events, media", &["audit", "tenants", "events", "media"]),
    ("devices", &["devices"]),
    ("conversations", &["contacts", "chats", "messages", "groups"]),
    ("on top of messages", &["campaigns", "automation", "otp"]),
    (
        "readers of events",
        &[
            "audit_log",
            "feed",
            "overview",
            "webhooks",
            "analytics",
            "platform",
            "sandbox_control",
        ],
    ),
    (
        "doors",
        &["schema", "dispatch", "jobs::runner", "jobs::registry", "http"],
    ),
    ("application", &["app", "cli", "lib", "main"]),
];

pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut uses: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for source in sources
        .iter()
        .filter(|source| source.path.starts_with("api/src/") && source.is_rust() && !source.is_tests())
    {
        let unit = unit_of(&source.path);
        let Some(own) = floor(&unit) else {
            findings.push(Finding::Error(format!(
                "{}: {unit} stands on no floor; give it one in xtask/src/tidy/floors.rs",
                source.path
            )));
            continue;
        };
        for (line, used) in used_units(source.without_tests()) {
            if used == unit {
                continue;
            }
            let Some(other) = floor(&used) else { continue };
            if other > own && !matches!(unit.as_str(), "lib" | "main") {
                findings.push(Finding::Error(format!(
                    "{}:{line}: {unit} ({}) imports {used} from the floor above ({})",
                    source.path, FLOORS[own].0, FLOORS[other].0
                )));
            }
            uses.entry(unit.clone())
                .or_default()
                .entry(used)
                .or_insert_with(|| format!("{}:{line}", source.path));
        }
    }
    findings.extend(circles(&uses).into_iter().map(Finding::Error));
    findings
}

fn floor(unit: &str) -> Option<usize> {
    FLOORS.iter().position(|(_, units)| units.contains(&unit))
}

/// `api/src/jobs/runner.rs` → `jobs::runner`, `api/src/messages/outbox.rs` → `messages`.
fn unit_of(path: &str) -> String {
    let inside = path.trim_start_matches("api/src/").trim_end_matches(".rs");
    let mut parts = inside.split('/');
    let first = parts.next().unwrap_or_default();
    unit(first, parts.next())
}

fn unit(first: &str, second: Option<&str>) -> String {
    match (first, second) {
        ("jobs", Some(second @ ("runner" | "registry"))) => format!("jobs::{second}"),
        _ => first.to_owned(),
    }
}

/// Every `crate::a::b` outside comments, and `crate::{a, b::c}`, with its line.
fn used_units(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut search = 0;
    while let Some(offset) = text[search..].find("crate::") {
        let start = search + offset;
        search = start + "crate::".len();
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let before = &text[line_start..start];
        let inside_word = before.ends_with(|character: char| character.is_alphanumeric() || character == '_');
        if inside_word || before.trim_start().starts_with("//") || before.contains(" // ") {
            continue;
        }
        let line = text[..start].matches('\n').count() + 1;
        found.extend(paths(&text[search..]).into_iter().map(|used| (line, used)));
    }
    found
}

/// The units at the beginning of `a::b::…` or of each branch of `{a, b::{c, d}}`.
fn paths(rest: &str) -> Vec<String> {
    if !rest.starts_with('{') {
        return vec![head(rest)];
    }
    let mut depth = 0;
    let mut branches = Vec::new();
    let mut begin = 1;
    for (index, character) in rest.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    branches.push(&rest[begin..index]);
                    break;
                }
            }
            ',' if depth == 1 => {
                branches.push(&rest[begin..index]);
                begin = index + 1;
            }
            _ => {}
        }
    }
    branches
        .iter()
        .map(|branch| head(branch.trim()))
        .filter(|unit| !unit.is_empty())
        .collect()
}

fn head(path: &str) -> String {
    let word = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let first = word(path);
    let second = path[first.len()..].strip_prefix("::").map(word);
    unit(&first, second.as_deref())
}

/// Every circle, told as a path with the places of its imports.
fn circles(uses: &BTreeMap<String, BTreeMap<String, String>>) -> Vec<String> {
    let mut told = BTreeSet::new();
    let mut circles = Vec::new();
    for start in uses.keys() {
        let Some(path) = way_back(uses, start) else { continue };
        let members: BTreeSet<String> = path.iter().cloned().collect();
        if !told.insert(members) {
            continue;
        }
        let places = path.iter().zip(path.iter().cycle().skip(1));
        let shown: Vec<String> = places
            .map(|(from, to)| format!("{from} → {to} ({})", uses[from].get(to).map_or("", String::as_str)))
            .collect();
        circles.push(format!("a circle of modules: {}", shown.join(", ")));
    }
    circles
}

/// The shortest way from a unit back to itself, without the repeated end.
fn way_back(uses: &BTreeMap<String, BTreeMap<String, String>>, start: &str) -> Option<Vec<String>> {
    let mut ways = std::collections::VecDeque::from([vec![start.to_owned()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let last = way.last()?;
        for next in uses.get(last).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                let mut longer = way.clone();
                longer.push(next.clone());
                ways.push_back(longer);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{check, used_units};
    use crate::tidy::{Finding, example};

    #[test]
    fn an_import_from_the_floor_above_is_found_with_its_line() {
        let found = check(&[example(
            "api/src/store/scope.rs",
            "use std::fmt;\nuse crate::messages::Outbox;\n",
        )]);
        let [Finding::Error(text)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert!(
            text.starts_with("api/src/store/scope.rs:2: store (toolkit) imports messages"),
            "{text}"
        );
    }

    #[test]
    fn imports_downwards_and_comments_are_fine() {
        let text =
            "//! See crate::http.\nuse crate::{store::{Scope, Tx}, engine::Handle};\nfn f() { crate::clock::now(); }";
        assert_eq!(check(&[example("api/src/messages/service.rs", text)]), []);
        let used: Vec<String> = used_units(text).into_iter().map(|(_, unit)| unit).collect();
        assert_eq!(used, ["store", "engine", "clock"]);
    }

    #[test]
    fn a_circle_on_one_floor_is_found_once() {
        let found = check(&[
            example("api/src/chats/service.rs", "use crate::messages::service;"),
            example("api/src/messages/inbox.rs", "use crate::chats::service;"),
        ]);
        let [Finding::Error(text)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert!(
            text.contains("chats → messages") && text.contains("messages → chats"),
            "{text}"
        );
    }

    #[test]
    fn the_two_floors_of_jobs_are_told_apart() {
        let fine = [
            example("api/src/messages/service.rs", "use crate::jobs::queue;"),
            example("api/src/jobs/runner.rs", "use crate::messages::service;"),
        ];
        assert_eq!(check(&fine), []);
        assert_eq!(
            check(&[example("api/src/jobs/queue.rs", "use crate::messages::service;")]).len(),
            1
        );
    }

    #[test]
    fn a_unit_without_a_floor_is_an_error() {
        assert_eq!(check(&[example("api/src/novelty/mod.rs", "")]).len(), 1);
    }
}
