//! Every rule catches what it is there for, and leaves its neighbours alone.

use serde_json::json;

use super::{docs, inspect, layers, manifests, mask, paths, source::Source};

/// The rules that a file breaks, each with the line.
fn broken(path: &str, text: &str) -> Vec<(&'static str, usize)> {
    inspect(&Source::new(path, text)).iter().map(|finding| (finding.rule, finding.spot.line)).collect()
}

fn library(text: &str) -> Vec<(&'static str, usize)> {
    broken("crates/thalweg/src/call/mod.rs", &format!("//! A file.\n{text}"))
}

#[test]
fn a_tidy_file_breaks_no_rule() {
    let text =
        "use crate::transport::client::Connection;\nfn f(r: Result<String, Error>) -> Option<u8> { r.ok()?.pop() }\n";
    assert_eq!(library(text), []);
}

#[test]
fn a_finding_is_printed_with_place_and_reason() {
    let found = inspect(&Source::new("crates/core/src/a.rs", "//! A.\nfn f() { g().unwrap() }\n"));
    let printed = found[0].to_string();
    assert!(printed.starts_with("crates/core/src/a.rs:2: unwrap: `unwrap()` (nothing panics"), "{printed}");
}

#[test]
fn a_file_of_more_than_500_lines_is_too_long_unless_it_tests() {
    let text = format!("//! A file.\n{}", "\n".repeat(500));
    assert_eq!(broken("crates/core/src/a.rs", &text), [("file-length", 501)]);
    assert_eq!(broken("crates/core/src/a/tests.rs", &text), []);
    assert_eq!(broken("examples/retry/main.rs", &text), []);
}

#[test]
fn a_file_that_does_not_say_what_it_owns_is_found() {
    assert_eq!(broken("crates/core/src/a.rs", "fn f() {}\n"), [("opening-line", 1)]);
    assert_eq!(broken("crates/proto/src/gen/a.rs", "// @generated\n"), []);
}

#[test]
fn tests_written_inline_are_found() {
    assert_eq!(library("#[cfg(test)]\nmod tests {\n}\n"), [("inline-tests", 2)]);
    assert_eq!(library("#[cfg(test)]\nmod tests;\n#[cfg(test)]\nfn only_for_tests() {}\n"), []);
}

#[test]
fn names_that_fit_anything_are_found() {
    assert_eq!(
        library("mod util;\nstruct ChannelInner;\nenum Manager {}\n"),
        [("empty-name", 2), ("empty-name", 3), ("empty-name", 4)]
    );
    assert_eq!(library("mod inner_join;\nstruct Utility;\nstruct InnerJoin;\n"), []);
}

#[test]
fn a_test_whose_name_is_no_sentence_is_found() {
    let attribute = "#[tokio::test(start_paused = true)]\nasync ";
    assert_eq!(library("#[test]\nfn it_works() {}\n"), [("test-name", 3)]);
    assert_eq!(library(&format!("{attribute}fn basic() {{}}\n")), [("test-name", 3)]);
    assert_eq!(library("#[test]\n#[should_panic]\nfn a_closed_door_opens() {}\n"), []);
}

#[test]
fn a_string_as_an_error_is_found() {
    assert_eq!(library("fn f() -> Result<HashMap<u8, u8>, String> {}\n"), [("string-error", 2)]);
    assert_eq!(library("fn f() -> Result<(u8, String), Vec<String>> {}\n"), []);
}

#[test]
fn anyhow_is_found_in_libraries_alone() {
    assert_eq!(library("use anyhow::Context;\n"), [("anyhow", 2)]);
    assert_eq!(broken("crates/core/Cargo.toml", "[dependencies]\nanyhow = \"1\"\n"), [("anyhow", 2)]);
    assert_eq!(broken("crates/cli/src/main.rs", "//! A file.\nuse anyhow::Context;\n"), []);
}

#[test]
fn unwrap_is_found_outside_tests_comments_and_literals() {
    assert_eq!(library("fn f() {\n    g()\n        .unwrap();\n}\n"), [("unwrap", 4)]);
    assert_eq!(library("/// a.unwrap()\nfn f() { g(\".unwrap()\", 'a', r#\"\".unwrap()\"#) }\n"), []);
    assert_eq!(broken("crates/core/src/a/tests.rs", "//! A file.\nfn f() { g().unwrap() }\n"), []);
}

#[test]
fn a_sleeping_test_is_found() {
    let text = "//! A file.\nuse std::{thread, time::Duration};\nfn f() { thread::sleep(Duration::ZERO) }\n";
    assert_eq!(broken("crates/core/tests/it/main.rs", text), [("sleep", 3)]);
    assert_eq!(broken("crates/thalweg/src/call/tests.rs", "//! A.\nuse tokio::time::{self, sleep};\n"), [("sleep", 2)]);
}

#[test]
fn only_its_owner_crosses_a_border() {
    for (text, rule, owner) in [
        ("use h2::client;\n", "h2-border", "crates/thalweg/tests/it/main.rs"),
        ("fn f() -> ::h2::Error {}\n", "h2-border", "bench/src/clients/raw_h2.rs"),
        ("use thalweg_http2::{error, send};\n", "wire-border", "crates/thalweg/src/transport/wire/link.rs"),
        ("use tokio::{net, time::{self, Sleep}};\n", "rt-border", "crates/thalweg/src/rt.rs"),
        ("fn f() { tokio::spawn(g()) }\n", "rt-border", "crates/thalweg/src/rt/mod.rs"),
        ("fn f() { std::time::Instant::now() }\n", "rt-border", "crates/thalweg/src/rt.rs"),
        ("use std::{env, fmt};\n", "env-border", "crates/thalweg/src/env.rs"),
    ] {
        let found = library(text);
        assert!(!found.is_empty() && found.iter().all(|found| *found == (rule, 2)), "{text}: {found:?}");
        assert_eq!(broken(owner, &format!("//! A file.\n{text}")), [], "{text}");
    }
}

#[test]
fn paths_of_one_machine_are_found() {
    let (ours, neighbour) = (["", "home", "me"].join("/"), ["..", "shared"].join("/"));
    let text = format!("# Title\ncd {ours} && ls\nsee {neighbour}\nhttps://example.org{ours}\n");
    assert_eq!(broken("a.md", &text), [("machine-path", 2), ("machine-path", 3)]);
}

#[test]
fn a_crate_from_another_registry_is_found() {
    let ours = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    assert_eq!(broken("Cargo.lock", &format!("{ours}source = \"registry+http://localhost\"\n")), [("registry", 2)]);
}

#[test]
fn a_mask_keeps_every_byte_in_its_place() {
    let text = "let c = '\"'; /* é /* x */ */ let l: &'a str = \"\\\"y\"; let r = br##\"\"#z\"##; // é\nend";
    let masked = mask::code(text);
    assert_eq!(masked.len(), text.len());
    assert_eq!(masked.find("end"), text.find("end"));
    let words: Vec<&str> = masked.split_whitespace().collect();
    assert_eq!(words.join(" "), "let c = ; let l: &'a str = ; let r = ; end");
}

#[test]
fn a_use_tree_is_written_out() {
    let code = "use std::{env as e, io::{self, Read}};\nfn f() { a::b(); x = y }\npub use ::c;\n";
    let named: Vec<(usize, String)> = paths::all(code).into_iter().map(|named| (named.line, named.path)).collect();
    let expected = [(1, "std::env"), (1, "std::io"), (1, "std::io::Read"), (2, "a::b"), (3, "c")];
    assert_eq!(named, expected.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn an_import_that_goes_up_or_sideways_is_found() {
    let files = [
        (
            "crates/a/src/lib.rs",
            "//! A.\n\npub mod top;\n/// Beside it.\nmod beside;\n\nmod low;\n\npub use top::Top;\n",
        ),
        ("crates/a/src/top/mod.rs", "use crate::{beside::B, low::L};\nuse super::low;\n"),
        ("crates/a/src/top/part.rs", "use super::Top;\nuse crate::top::Other;\n"),
        ("crates/a/src/low.rs", "use crate::Top;\nfn f() { crate::top::g() }\n"),
        ("crates/a/src/low/tests.rs", "use crate::top::Top;\n"),
    ];
    let sources = files.map(|(path, text)| Source::new(path, text));
    let found: Vec<(String, usize)> =
        layers::check(&sources).into_iter().map(|found| (found.path, found.spot.line)).collect();
    let (top, low) = ("crates/a/src/top/mod.rs", "crates/a/src/low.rs");
    assert_eq!(found, [(top, 1), (top, 2), (low, 1), (low, 2)].map(|(path, line)| (path.to_owned(), line)));
}

#[test]
fn dead_links_and_lost_chapters_are_found() {
    let pages = [
        ("README.md", "[ok](docs/src/a.md#top) [web](https://example.org) [dead](docs/b.md)\n```\n[code](c)\n```\n"),
        ("docs/src/SUMMARY.md", "- [A](./a.md)\n- [Gone](gone.md)\n"),
        ("docs/src/a.md", "[up](../../README.md) [folder](..)\n"),
        ("docs/src/lost.md", "text\n"),
    ];
    let sources = pages.map(|(path, text)| Source::new(path, text));
    let found: Vec<(String, &str)> = docs::check(&sources).into_iter().map(|found| (found.path, found.rule)).collect();
    let expected =
        [("README.md", "dead-link"), ("docs/src/SUMMARY.md", "dead-link"), ("docs/src/lost.md", "lost-chapter")];
    assert_eq!(found, expected.map(|(path, rule)| (path.to_owned(), rule)));
}

#[test]
fn an_edge_that_the_architecture_lacks_is_found() {
    let dependency = |name: &str, kind| json!({ "name": name, "kind": kind, "path": "p" });
    let package =
        |name: &str, dependencies| json!({ "name": name, "manifest_path": "r/m", "dependencies": dependencies });
    let metadata = json!({ "packages": [
        package("thalweg-core", vec![dependency("thalweg-sim", Some("dev")), dependency("thalweg", None)]),
        package("thalweg-sim", vec![dependency("thalweg-core", None), dependency("thalweg-testkit", None)]),
        package("thalweg-stray", vec![]),
    ]});
    let found: Vec<String> = manifests::edges(&metadata, "r").into_iter().map(|found| found.spot.what).collect();
    assert_eq!(found[..2], ["`thalweg-core` depends on `thalweg`", "`thalweg-sim` depends on `thalweg-testkit`"]);
    assert!(found[2].starts_with("`thalweg-stray` is not in the table"), "{found:?}");
}

#[test]
fn another_http_under_thalweg_is_found() {
    assert_eq!(manifests::banned("thalweg v0.1.0\nh2o v0.4.12\nhyperfine v1\n"), []);
    assert_eq!(manifests::banned("thalweg v0.1.0\nh2 v0.4.12\n").len(), 1);
    assert_eq!(manifests::banned("thalweg v0.1.0\nhyper v1.8.1\n").len(), 1);
}
