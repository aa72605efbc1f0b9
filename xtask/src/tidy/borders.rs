//! Rules on borders: what only one place may name, and what nothing may name.

use super::{
    Rule, Spot,
    paths::{self, Named},
    source::{Source, is_word, line_of},
};

/// The crate whose modules divide the runtime among themselves.
const RUNTIME: &str = "crates/thalweg/src";
/// What stands between the protocol and the layers above it.
const WIRE: [&str; 2] = ["crates/thalweg/src/transport", "crates/thalweg/src/error"];
/// Folders at the root of a machine that belong to somebody.
const MACHINE_FOLDERS: [&str; 3] = ["home", "root", "work"];
/// The only registry a lock file may name.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) const RULES: [Rule; 6] = [
    Rule {
        name: "h2-border",
        why: "the h2 crate is what tests compare us with: what ships stands on crates/http2 alone",
        find: |source| outside(source, "crates", &[], |named| named.is_in("h2")),
    },
    Rule {
        name: "wire-border",
        why: "only transport, and error for the names of codes, knows crates/http2: whatever is above speaks of calls",
        find: |source| outside(source, RUNTIME, &WIRE, |named| named.is_in("thalweg_http2")),
    },
    Rule {
        name: "rt-border",
        why: "only rt names tokio's spawn and clock, so that every task and every timer is found in one place",
        find: |source| outside(source, RUNTIME, &["crates/thalweg/src/rt"], spawns_or_reads_a_clock),
    },
    Rule {
        name: "env-border",
        why: "only env reads the environment, so that every variable that changes behaviour is found in one place",
        find: |source| outside(source, "crates", &["crates/thalweg/src/env"], |named| named.is_in("std::env")),
    },
    Rule { name: "machine-path", why: "what is committed must work on any machine", find: machine_paths },
    Rule { name: "registry", why: "a build takes its crates from crates.io", find: registries },
];

fn spawns_or_reads_a_clock(named: &Named) -> bool {
    let tokio = ["tokio::spawn", "tokio::time", "tokio::task::spawn", "tokio::task::spawn_blocking"];
    let clock = ["Instant::now", "SystemTime::now", "thread::sleep", "thread::spawn"];
    tokio.iter().any(|item| named.is_in(item)) || clock.iter().any(|item| named.ends_in(item))
}

/// The paths of a kind that shipped code under `scope` names although it is none of the `owners`.
fn outside(source: &Source, scope: &str, owners: &[&str], forbidden: fn(&Named) -> bool) -> Vec<Spot> {
    if !source.is_product() || !source.is_under(scope) || owners.iter().any(|owner| source.is_under(owner)) {
        return vec![];
    }
    let named = paths::all(&source.code).into_iter().filter(forbidden);
    named.map(|named| Spot::new(named.line, format!("`{}`", named.path))).collect()
}

fn machine_paths(source: &Source) -> Vec<Spot> {
    let mut spots = vec![];
    for folder in MACHINE_FOLDERS {
        let path = format!("/{folder}/");
        let absolute = |at: &usize| !source.text[..*at].ends_with(|c: char| is_word(c) || "./-}*~\\".contains(c));
        let found = source.text.match_indices(&path).map(|(at, _)| at).filter(absolute);
        spots.extend(found.map(|at| Spot::new(line_of(&source.text, at), format!("names `{path}`"))));
    }
    let neighbour = ["..", "shared"].join("/");
    let found = source.text.match_indices(&neighbour);
    spots.extend(found.map(|(at, _)| Spot::new(line_of(&source.text, at), format!("names `{neighbour}`"))));
    spots
}

fn registries(source: &Source) -> Vec<Spot> {
    if !source.path.ends_with("Cargo.lock") {
        return vec![];
    }
    let foreign = source.text.lines().enumerate().filter_map(|(at, line)| {
        let from = line.strip_prefix("source = ")?.trim_matches('"');
        (from != REGISTRY).then(|| Spot::new(at + 1, format!("`{from}`")))
    });
    foreign.collect()
}
