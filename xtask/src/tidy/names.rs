//! Rules on names: modules and types that say what they own, tests that say what they prove.

use super::{
    Rule, Spot,
    source::{Source, is_word, line_of, word, words},
};

/// Names that fit anything, as a whole module name or, in camel case, as the last word of a type.
const EMPTY_NAMES: [&str; 9] = ["common", "helper", "helpers", "inner", "manager", "misc", "types", "util", "utils"];
/// Fewest words of a test name.
const SENTENCE: usize = 3;

pub(super) const RULES: [Rule; 2] = [
    Rule {
        name: "empty-name",
        why: "a name that fits anything collects everything: name it after what it owns",
        find: empty_names,
    },
    Rule {
        name: "test-name",
        why: "a test is named by the sentence it proves, so that a failure reads as news",
        find: test_names,
    },
];

fn empty_names(source: &Source) -> Vec<Spot> {
    if !source.is_rust() {
        return vec![];
    }
    let declared = ["mod", "struct", "enum", "trait", "type"].into_iter().flat_map(|keyword| {
        words(&source.code, keyword).map(move |at| (at, keyword, word(source.code[at + keyword.len()..].trim_start())))
    });
    let empty = declared.filter(|(_, _, name)| EMPTY_NAMES.contains(&last_word(name).as_str()));
    empty.map(|(at, keyword, name)| Spot::new(line_of(&source.code, at), format!("{keyword} `{name}`"))).collect()
}

/// The last word of a camel-case name, in lower case; all of a lower-case name.
fn last_word(name: &str) -> String {
    let start = name.rfind(char::is_uppercase).unwrap_or(0);
    name[start..].to_lowercase()
}

fn test_names(source: &Source) -> Vec<Spot> {
    if !source.is_rust() {
        return vec![];
    }
    let attributes = ["#[test]", "#[tokio::test"].into_iter().flat_map(|text| source.code.match_indices(text));
    let short = attributes.filter_map(|(at, _)| {
        let item = at + words(&source.code[at..], "fn").next()?;
        let name = word(source.code[item + 2..].trim_start_matches(|c| !is_word(c)));
        let spot = || Spot::new(line_of(&source.code, item), format!("`{name}` is not a sentence"));
        (name.split('_').filter(|word| !word.is_empty()).count() < SENTENCE).then(spot)
    });
    short.collect()
}
