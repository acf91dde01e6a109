//! Words that must not stand in the tree: file names without meaning, forgotten notes, hosts and paths of one machine.

use super::Finding;
use super::source::Source;

const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "helper", "manager", "common", "misc"];
/// Written in two halves, so that this file does not find itself.
const NOTES: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX:")];
const HOSTS: [&str; 7] = [
    concat!("registry.npm", "js.org"),
    concat!("registry.yarn", "pkg.com"),
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("deb.debian", ".org"),
    concat!("files.python", "hosted.org"),
    concat!("pypi", ".org"),
];
const MACHINE_PATHS: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/home", "/"),
    concat!("/Us", "ers/"),
];

pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let names = source.path.trim_end_matches(".rs").split('/');
        if let Some(name) = names
            .filter(|_| source.is_rust())
            .find(|name| EMPTY_NAMES.contains(name))
        {
            findings.push(Finding::Error(format!(
                "{}: `{name}` says nothing; name it after what it does",
                source.path
            )));
        }
        // Lock files name where packages come from by design; minified files were written by others.
        if ["Cargo.lock", ".min.js", ".min.css"]
            .iter()
            .any(|end| source.path.ends_with(end))
        {
            continue;
        }
        for (index, line) in source.text.lines().enumerate() {
            let place = || format!("{}:{}", source.path, index + 1);
            if let Some(word) = NOTES.iter().find(|word| line.contains(*word)) {
                findings.push(Finding::Error(format!(
                    "{}: `{word}`: do it, or write it into an issue",
                    place()
                )));
            }
            if let Some(host) = HOSTS.iter().find(|host| line.contains(*host)) {
                findings.push(Finding::Error(format!(
                    "{}: {host}: name packages, not the hosts they come from",
                    place()
                )));
            }
            if let Some(path) = MACHINE_PATHS.iter().find(|path| mentions(line, path)) {
                findings.push(Finding::Error(format!(
                    "{}: {path}… exists on one machine only",
                    place()
                )));
            }
        }
    }
    findings
}

/// Whether the path stands there from its first character on, not as the middle of another (`a/home/`).
fn mentions(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(index, _)| {
        !line[..index]
            .ends_with(|before: char| before.is_alphanumeric() || matches!(before, '.' | '_' | '-' | '/' | '*' | '}'))
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::example;

    #[test]
    fn each_kind_is_found() {
        assert_eq!(check(&[example("api/src/utils.rs", "")]).len(), 1);
        assert_eq!(check(&[example("README.md", concat!("TO", "DO: write"))]).len(), 1);
        assert_eq!(
            check(&[example("a.toml", concat!("url = \"https://pypi", ".org/x\""))]).len(),
            1
        );
        assert_eq!(check(&[example("a.md", concat!("cd /ro", "ot/kabar"))]).len(), 1);
    }

    #[test]
    fn ordinary_text_is_fine() {
        let text = "See pages/home/mod.rs and src/work/queue.rs; the manager of a group.";
        assert_eq!(check(&[example("api/src/groups/service.rs", text)]), []);
    }
}
