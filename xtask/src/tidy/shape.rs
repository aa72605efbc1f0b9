//! Rules on the shape of a file: how long it is, how it opens, where its tests are.

use super::{
    Rule, Spot,
    source::{Source, line_of, word},
};

const SOFT: usize = 300;
const HARD: usize = 500;

pub(super) const RULES: [Rule; 3] = [
    Rule {
        name: "file-length",
        why: "a file of more than 500 lines owns more than one thing: split it by what it owns",
        find: |source| longer_than(source, HARD),
    },
    Rule {
        name: "opening-line",
        why: "the first line says with `//!` what the file owns, so that a reader knows whether to read on",
        find: opening_line,
    },
    Rule {
        name: "inline-tests",
        why: "tests live next door in tests.rs, so that a file is as long as what it does",
        find: inline_tests,
    },
];

/// Listed on request only.
pub(super) const SOFT_LENGTH: Rule = Rule {
    name: "file-length-soft",
    why: "from 300 lines on, look whether the file owns two things",
    find: |source| longer_than(source, SOFT),
};

fn longer_than(source: &Source, limit: usize) -> Vec<Spot> {
    let lines = source.text.lines().count();
    let counts = source.is_product() && !source.path.starts_with("examples/");
    if counts && lines > limit { vec![Spot::new(lines, format!("{lines} lines"))] } else { vec![] }
}

fn opening_line(source: &Source) -> Vec<Spot> {
    let opens = source.text.starts_with("//! ");
    if source.is_rust() && !opens { vec![Spot::new(1, "does not start with `//! `")] } else { vec![] }
}

fn inline_tests(source: &Source) -> Vec<Spot> {
    if !source.is_rust() {
        return vec![];
    }
    let attributes = source.code.match_indices("#[cfg(test)]");
    let inline = attributes.filter_map(|(at, attribute)| {
        let item = source.code[at + attribute.len()..].trim_start();
        let item = item.strip_prefix("pub(crate)").or_else(|| item.strip_prefix("pub")).unwrap_or(item).trim_start();
        let name = word(item.strip_prefix("mod ")?);
        let has_body = item["mod ".len() + name.len()..].trim_start().starts_with('{');
        has_body.then(|| Spot::new(line_of(&source.code, at), format!("`mod {name}` is written inline")))
    });
    inline.collect()
}
