//! A file of the repository, with what the rules need to know about it.

use std::{fs, path::Path};

use super::{Error, mask, output};

/// A text file that is, or is about to be, under version control.
pub(super) struct Source {
    /// From the root of the workspace, with `/`.
    pub(super) path: String,
    /// All of it.
    pub(super) text: String,
    /// The same, byte for byte and line for line, with comments and the contents of literals blanked;
    /// empty unless this is Rust.
    pub(super) code: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") { mask::code(text) } else { String::new() };
        Self { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// Rust that people write.
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs") && !self.path.contains("/gen/")
    }

    /// Only compiled for tests.
    pub(super) fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs") || self.path.split('/').any(|part| part == "tests" || part == "benches")
    }

    /// Rust that ships: neither generated nor a test.
    pub(super) fn is_product(&self) -> bool {
        self.is_rust() && !self.is_test()
    }

    /// Whether it belongs to a folder, or is the file of that name.
    pub(super) fn is_under(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
    }
}

/// Every text file of the repository, in the order of their paths.
pub(super) fn read_all(root: &Path) -> Result<Vec<Source>, Error> {
    let listed = output(root, "git", &["ls-files", "--cached", "--others", "--exclude-standard"])?;
    let mut names: Vec<&str> = listed.lines().collect();
    names.sort_unstable();
    names.dedup();
    let read = |name: &str| Some(Source::new(name, &fs::read_to_string(root.join(name)).ok()?));
    Ok(names.into_iter().filter_map(read).collect())
}

/// The line, counted from 1, on which a byte of the text stands.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// Whether a character can be part of an identifier.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The identifier a text starts with, empty if it starts with something else.
pub(super) fn word(text: &str) -> &str {
    &text[..text.find(|c| !is_word(c)).unwrap_or(text.len())]
}

/// Where a whole word occurs, as byte offsets.
pub(super) fn words<'a>(text: &'a str, wanted: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(wanted)
        .map(|(at, _)| at)
        .filter(move |at| !text[..*at].ends_with(is_word) && !text[at + wanted.len()..].starts_with(is_word))
}
