//! Lengths: files past 400 lines are split by question, resolvers stay thin.

use super::Finding;
use super::source::Source;

const FILE_LINES: usize = 400;
const RESOLVER_LINES: usize = 12;

pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let lines = source.without_tests().lines().count();
        if lines > FILE_LINES {
            findings.push(Finding::Warning(format!(
                "{}: {lines} lines; split it by question",
                source.path
            )));
        }
        if !source.text.trim_start().starts_with("//!") && !source.path.ends_with("build.rs") {
            findings.push(Finding::Error(format!(
                "{}: the module does not open with `//!`: what it owns, what it never does",
                source.path
            )));
        }
        if source.path.starts_with("api/src/") && source.path.ends_with("/schema.rs") {
            findings.extend(long_resolvers(source));
        }
    }
    findings
}

/// Functions directly inside `#[Object]`, `#[Subscription]` and `#[ComplexObject]` blocks.
fn long_resolvers(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut lines = source.without_tests().lines().enumerate();
    while let Some((start, line)) = lines.next() {
        if !line.starts_with("    async fn ") && !line.starts_with("    pub async fn ") {
            continue;
        }
        let name = line
            .split("fn ")
            .nth(1)
            .and_then(|rest| rest.split(['(', '<']).next())
            .unwrap_or_default();
        let mut body = 0;
        let mut inside = line.trim_end().ends_with('{');
        for (_, line) in lines.by_ref() {
            if line == "    }" {
                break;
            }
            if inside {
                body += 1;
            } else {
                inside = line.trim_end().ends_with('{');
            }
        }
        if body > RESOLVER_LINES {
            findings.push(Finding::Warning(format!(
                "{}:{}: resolver {name} has {body} lines; beyond {RESOLVER_LINES} the work belongs in the service",
                source.path,
                start + 1
            )));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::{Finding, example};

    #[test]
    fn long_resolvers_and_files_are_warned_about() {
        let body = "        work();\n".repeat(13);
        let text = format!(
            "//! Types.\nimpl Query {{\n    async fn short(&self) {{\n    }}\n    async fn long(\n        &self,\n    ) {{\n{body}    }}\n}}\n"
        );
        let found = check(&[example("api/src/chats/schema.rs", &text)]);
        let [Finding::Warning(warning)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert!(warning.contains("resolver long has 13 lines"), "{warning}");

        let long = format!("//! Long.\n{}", "\n".repeat(400));
        assert_eq!(check(&[example("entity/src/long.rs", &long)]).len(), 1);
    }

    #[test]
    fn a_module_says_what_it_owns() {
        assert!(matches!(
            check(&[example("entity/src/x.rs", "use a;\n")]).as_slice(),
            [Finding::Error(_)]
        ));
    }
}
