//! Tests of the book itself.

use std::{fs, path::Path};

/// Every `{{#include file:anchor}}` of a chapter: the file and the anchor.
fn includes(chapter: &str) -> Vec<(String, String)> {
    let include =
        |part: &str| part.split("}}").next()?.split_once(':').map(|(file, anchor)| (file.into(), anchor.into()));
    chapter.split("{{#include ").skip(1).filter_map(include).collect()
}

#[test]
fn what_chapters_include_is_there() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for chapter in fs::read_dir(&book).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        for (file, anchor) in includes(&fs::read_to_string(&chapter).unwrap()) {
            let listing = fs::read_to_string(book.join(&file)).unwrap_or_default();
            assert!(listing.contains(&format!("// ANCHOR: {anchor}\n")), "{chapter:?} includes {file}:{anchor}");
            seen += 1;
        }
    }
    assert!(seen > 0, "no chapter includes anything");
}
