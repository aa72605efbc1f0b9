//! What `codegen` promises: one generated file per package, and differences found by name.

use std::fs;

use super::{SCRATCH, differences};

#[test]
fn files_that_differ_or_are_missing_on_one_side_are_named() {
    let root = crate::workspace_root().join(SCRATCH).with_file_name("codegen-tests");
    let (left, right) = (root.join("left"), root.join("right"));
    for (folder, name, text) in [
        (&left, "same", "a"),
        (&right, "same", "a"),
        (&left, "other", "a"),
        (&right, "other", "b"),
        (&left, "new", ""),
        (&right, "gone", ""),
    ] {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
    }
    assert_eq!(differences(&left, &right).unwrap(), ["gone", "new", "other"]);
}
