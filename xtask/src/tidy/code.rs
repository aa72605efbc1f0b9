//! Rules on what code may not do anywhere: errors without a type, panics out of laziness, sleeping tests.

use super::{
    Rule, Spot, paths,
    source::{Source, line_of, words},
};

/// Crates that people depend on; the command line tool may do as it likes.
const NO_LIBRARY: &str = "crates/cli";

pub(super) const RULES: [Rule; 4] = [
    Rule {
        name: "string-error",
        why: "nobody can match on a String: give the seam an error enum",
        find: string_errors,
    },
    Rule { name: "anyhow", why: "a caller must be able to tell a library's errors apart: use thiserror", find: anyhow },
    Rule {
        name: "unwrap",
        why: "nothing panics on bad input: handle the case, or `expect` the reason why it cannot happen",
        find: unwraps,
    },
    Rule {
        name: "sleep",
        why: "a test that sleeps is slow when it passes and flaky when it does not: use virtual time or wait for the event",
        find: sleeps,
    },
];

fn string_errors(source: &Source) -> Vec<Spot> {
    if !source.is_product() {
        return vec![];
    }
    let results = words(&source.code, "Result").filter(|at| {
        let arguments = source.code[at + "Result".len()..].strip_prefix('<').map(generic_arguments);
        arguments.is_some_and(|arguments| matches!(arguments.as_slice(), [_, "String" | "std::string::String"]))
    });
    results.map(|at| Spot::new(line_of(&source.code, at), "`Result<_, String>`")).collect()
}

/// The comma-separated arguments up to the `>` that closes them.
fn generic_arguments(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut arguments) = (1_u32, 0, vec![]);
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if previous == '-' => {}
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            arguments.push(text[start..at].trim());
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
        previous = c;
    }
    arguments
}

fn anyhow(source: &Source) -> Vec<Spot> {
    let library = source.path.starts_with("crates/") && !source.is_under(NO_LIBRARY);
    if !library {
        return vec![];
    }
    if source.path.ends_with("Cargo.toml") {
        let lines = source.text.lines().enumerate().filter(|(_, line)| line.starts_with("anyhow"));
        return lines.map(|(at, _)| Spot::new(at + 1, "depends on `anyhow`")).collect();
    }
    let named = paths::all(&source.code).into_iter().filter(|named| named.is_in("anyhow"));
    named.map(|named| Spot::new(named.line, format!("`{}`", named.path))).collect()
}

fn unwraps(source: &Source) -> Vec<Spot> {
    if !source.is_product() {
        return vec![];
    }
    let calls = source.code.match_indices(".unwrap()");
    calls.map(|(at, _)| Spot::new(line_of(&source.code, at), "`unwrap()`")).collect()
}

fn sleeps(source: &Source) -> Vec<Spot> {
    if !source.is_rust() || !source.is_test() {
        return vec![];
    }
    let sleeps = |named: &paths::Named| named.ends_in("thread::sleep") || named.ends_in("time::sleep");
    let named = paths::all(&source.code).into_iter().filter(sleeps);
    named.map(|named| Spot::new(named.line, format!("`{}`", named.path))).collect()
}
