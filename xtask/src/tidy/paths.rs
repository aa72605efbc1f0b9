//! Every path that Rust code names, with `use` trees written out.

use super::source::{is_word, line_of, word, words};

/// A path as the code writes it, without a leading `::`, and the line where it stands.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Named {
    /// Counted from 1.
    pub(super) line: usize,
    /// For instance `tokio::time::sleep`.
    pub(super) path: String,
}

impl Named {
    /// Whether this is the item, or something inside it.
    pub(super) fn is_in(&self, item: &str) -> bool {
        self.path.strip_prefix(item).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }

    /// Whether this is the item, by its whole path or by the end of it.
    pub(super) fn ends_in(&self, item: &str) -> bool {
        self.path.strip_suffix(item).is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
    }
}

/// Every path of two or more segments, and everything that is imported.
pub(super) fn all(code: &str) -> Vec<Named> {
    let (mut named, mut last_use) = (vec![], 0);
    for at in words(code, "use") {
        let tree = &code[at + 3..];
        let tree = &tree[..tree.find(';').unwrap_or(tree.len())];
        if tree.starts_with(char::is_whitespace) {
            collect(&code[last_use..at], code, last_use, &mut named);
            last_use = at + 3 + tree.len();
            let mut paths = vec![];
            expand("", tree, &mut paths);
            named.extend(paths.into_iter().map(|path| Named { line: line_of(code, at), path }));
        }
    }
    collect(&code[last_use..], code, last_use, &mut named);
    named
}

/// Finds `a::b::c` in a piece of the code that holds no `use`.
fn collect(piece: &str, code: &str, offset: usize, named: &mut Vec<Named>) {
    let mut at = 0;
    while let Some(found) = piece[at..].find(is_word) {
        let start = at + found;
        let end = start + path_length(&piece[start..]);
        if piece[start..end].contains("::") {
            named.push(Named { line: line_of(code, offset + start), path: piece[start..end].to_owned() });
        }
        at = end;
    }
}

fn path_length(text: &str) -> usize {
    let mut end = word(text).len();
    while let Some(rest) = text[end..].strip_prefix("::") {
        if !rest.starts_with(is_word) {
            break;
        }
        end += 2 + word(rest).len();
    }
    end
}

/// Writes a `use` tree out, one path for each leaf.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim().trim_start_matches("::");
    let Some((head, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree).trim();
        return paths.push(format!("{prefix}{path}").trim_end_matches("::self").to_owned());
    };
    let prefix = format!("{prefix}{}", head.trim());
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    for branch in branches(group) {
        expand(&prefix, branch, paths);
    }
}

/// Splits a group at the commas that are not inside another group.
fn branches(group: &str) -> Vec<&str> {
    let mut depth = 0;
    let split = group.split(move |c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    split.filter(|branch| !branch.trim().is_empty()).collect()
}
