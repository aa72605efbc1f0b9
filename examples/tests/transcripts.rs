//! Runs every example and compares what it prints with its `expected.txt`, ports and times masked.
//!
//! `UPDATE_TRANSCRIPTS=1 cargo test -p thalweg-examples` writes the files anew.

// A test that cannot go on may panic, in its helpers too.
#![allow(clippy::unwrap_used)]

use std::{env, fs, path::Path, process::Command};

/// Every example by its slug and its program.
macro_rules! programs {
    ($($slug:literal),* $(,)?) => { [$(($slug, env!(concat!("CARGO_BIN_EXE_", $slug)))),*] };
}

const PROGRAMS: [(&str, &str); 15] = programs![
    "auth",
    "cancellation",
    "compression",
    "custom-load-balancing",
    "custom-name-resolution",
    "deadlines",
    "error",
    "flow-control",
    "health-checking",
    "interceptors",
    "keepalive",
    "metadata",
    "server-graceful-stop",
    "service-config",
    "wait-for-ready",
];

const HEADINGS: [&str; 4] = ["## Try it", "## What you see", "## How it works", "## Where it lives in the source"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs one example to its end and returns what it printed, masked.
fn transcript(program: &str) -> String {
    let output = Command::new(program).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} failed ({}):\n{errors}", output.status);
    mask(&String::from_utf8(output.stdout).unwrap())
}

/// Puts `PORT` in the place of loopback ports, and `TIME` in the place of durations.
fn mask(text: &str) -> String {
    let lines = text.lines().map(|line| mask_times(&mask_ports(line)));
    lines.map(|line| line + "\n").collect()
}

fn mask_ports(line: &str) -> String {
    let mut pieces = line.split("127.0.0.1:");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces
        .fold(first, |masked, piece| masked + "127.0.0.1:PORT" + piece.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// Masks words such as `200ms`, `1.5s` and `0ns`, whatever punctuation stands around them.
fn mask_times(line: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '.' || c == 'µ';
    let mut masked = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(is_part) {
        let (before, word) = rest.split_at(start);
        let (word, after) = word.split_at(word.find(|c| !is_part(c)).unwrap_or(word.len()));
        masked += before;
        let stem = word.trim_end_matches('.');
        masked += if is_time(stem) { "TIME" } else { stem };
        masked += &word[stem.len()..];
        rest = after;
    }
    masked + rest
}

fn is_time(word: &str) -> bool {
    let number = word.trim_end_matches(|c: char| c.is_alphabetic());
    ["ns", "µs", "ms", "s"].contains(&&word[number.len()..]) && number.parse::<f64>().is_ok()
}

#[test]
fn every_example_prints_what_its_guide_says() {
    let update = env::var_os("UPDATE_TRANSCRIPTS").is_some();
    for (slug, program) in PROGRAMS {
        let file = root().join(slug).join("expected.txt");
        let seen = transcript(program);
        if update {
            fs::write(&file, &seen).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        assert!(seen == expected, "{slug} printed\n\n{seen}\nand {} says\n\n{expected}", file.display());
    }
}

#[test]
fn every_example_is_a_guide_with_all_its_parts() {
    let folders = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let mut slugs: Vec<_> = folders.filter(|path| path.join("main.rs").exists()).collect();
    slugs.sort();
    let names: Vec<_> = slugs.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, PROGRAMS.map(|(slug, _)| slug), "the list in this test and the folders differ");
    for path in slugs {
        let readme = fs::read_to_string(path.join("README.md")).unwrap();
        for heading in HEADINGS {
            assert!(readme.contains(heading), "{}/README.md lacks {heading:?}", path.display());
        }
    }
}

#[test]
fn ports_and_times_are_masked_and_nothing_else() {
    let masked = mask("after 200ms: 1.5s at 127.0.0.1:4711, in 0ns (3 calls, v1.2, 10.0.0.1:80, 5 s) and 17µs.");
    assert_eq!(masked, "after TIME: TIME at 127.0.0.1:PORT, in TIME (3 calls, v1.2, 10.0.0.1:80, 5 s) and TIME.\n");
}
