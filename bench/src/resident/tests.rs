//! Tests of reading the kernel's books.

use super::{bytes, parse};

#[test]
fn the_line_of_resident_memory_is_in_kib() {
    assert_eq!(parse("5590-7ffc ---p 00000000 00:00 0  [rollup]\nRss:     1760 kB\nPss: 370 kB\n").unwrap(), 1_802_240);
}

#[test]
fn books_without_that_line_are_an_error() {
    assert!(parse("Pss: 370 kB\n").is_err());
    assert!(parse("Rss: many kB\n").is_err());
}

#[test]
fn this_process_has_some() {
    assert!(bytes().unwrap() > 100_000);
}
