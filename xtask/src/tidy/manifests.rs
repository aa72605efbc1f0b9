//! Rules on manifests: which crate may depend on which, what `thalweg` must not pull in, and shared lints.

use std::path::Path;

use serde_json::Value;

use super::{Error, Finding, Spot, output};

/// Each crate with those of ours it may depend on. Tests may also use [`PRETENDERS`].
const EDGES: [(&str, &[&str]); 14] = [
    ("thalweg-core", &[]),
    ("thalweg-http2", &[]),
    ("thalweg-proto", &[]),
    ("thalweg-sim", &["thalweg-core"]),
    ("thalweg", &["thalweg-core", "thalweg-http2", "thalweg-proto"]),
    ("thalweg-testkit", &["thalweg", "thalweg-core"]),
    ("thalweg-services", &["thalweg", "thalweg-core", "thalweg-proto"]),
    ("thalweg-cli", &["thalweg", "thalweg-core", "thalweg-proto", "thalweg-services", "thalweg-sim"]),
    ("thalweg-examples", &["thalweg", "thalweg-core", "thalweg-proto", "thalweg-services", "thalweg-sim"]),
    ("thalweg-interop", &["thalweg", "thalweg-core", "thalweg-proto", "thalweg-services"]),
    ("thalweg-bench", &["thalweg", "thalweg-core", "thalweg-proto", "thalweg-services", "thalweg-sim"]),
    ("thalweg-chaos", &["thalweg", "thalweg-proto", "thalweg-services"]),
    ("thalweg-docs", &["thalweg", "thalweg-services"]),
    ("xtask", &[]),
];
/// What any crate may use in its tests.
const PRETENDERS: [&str; 3] = ["thalweg-proto", "thalweg-sim", "thalweg-testkit"];
/// What `thalweg` must build without.
const BANNED: [&str; 3] = ["h2", "hyper", "hyper-util"];

/// Checks every manifest of the workspace.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>, Error> {
    let metadata = output(root, "cargo", &["metadata", "--no-deps", "--format-version", "1"])?;
    let mut findings = edges(&serde_json::from_str(&metadata)?, &root.to_string_lossy());
    let tree = output(root, "cargo", &["tree", "-p", "thalweg", "-e", "normal", "--prefix", "none"])?;
    findings.extend(banned(&tree));
    Ok(findings)
}

/// Every dependency between our crates that the architecture does not have.
pub(super) fn edges(metadata: &Value, root: &str) -> Vec<Finding> {
    let mut findings = vec![];
    for package in list(metadata, "packages") {
        let name = text(package, "name");
        let path = text(package, "manifest_path").trim_start_matches(root).trim_start_matches('/');
        let Some((_, allowed)) = EDGES.iter().find(|(crate_name, _)| *crate_name == name) else {
            findings.push(edge(path, format!("`{name}` is not in the table of crates (xtask/src/tidy/manifests.rs)")));
            continue;
        };
        for dependency in list(package, "dependencies").iter().filter(|dependency| dependency["path"].is_string()) {
            let (target, for_tests) = (text(dependency, "name"), dependency["kind"] == "dev");
            if !(allowed.contains(&target) || for_tests && PRETENDERS.contains(&target)) {
                findings.push(edge(path, format!("`{name}` depends on `{target}`")));
            }
        }
    }
    findings
}

fn edge(path: &str, what: String) -> Finding {
    Finding {
        path: path.to_owned(),
        spot: Spot::new(1, what),
        rule: "crate-edge",
        why: "only Cargo edges hold an architecture: ARCHITECTURE.md lists those there are",
    }
}

/// What `cargo tree` lists for `thalweg` that must not be there.
pub(super) fn banned(tree: &str) -> Vec<Finding> {
    let names = BANNED.into_iter().filter(|name| tree.lines().any(|line| line.split(' ').next() == Some(name)));
    names
        .map(|name| Finding {
            path: "crates/thalweg/Cargo.toml".to_owned(),
            spot: Spot::new(1, format!("`cargo tree -p thalweg -e normal` lists `{name}`")),
            rule: "one-http",
            why: "thalweg brings its own transport: a second HTTP stack is weight that every user would carry",
        })
        .collect()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
