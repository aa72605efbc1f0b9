//! Tests of the walk from prefix to prefix.

use super::{Prefix, Prefixes};

const BODY: &[u8] = &[1, 0, 0, 0, 2, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9];

fn scanned(pieces: impl Iterator<Item = &'static [u8]>) -> Vec<Prefix> {
    let mut prefixes = Prefixes::default();
    let mut found = Vec::new();
    pieces.for_each(|piece| prefixes.scan(piece, |prefix| found.push(prefix)));
    found
}

#[test]
fn every_prefix_is_found_however_the_body_is_cut() {
    let expected = [(true, 2), (false, 0), (false, 1)].map(|(compressed, length)| Prefix { compressed, length });
    for size in 1..=BODY.len() {
        assert_eq!(scanned(BODY.chunks(size)), expected, "in pieces of {size} bytes");
    }
}

#[test]
fn an_unfinished_prefix_is_not_reported() {
    assert_eq!(scanned([&BODY[..4]].into_iter()), []);
}

#[test]
fn a_framed_message_begins_with_its_prefix() {
    let framed = super::frame(&thalweg_proto::interop::EchoStatus { code: 2, message: "no".to_owned() });
    assert_eq!(framed[..], [0, 0, 0, 0, 6, 8, 2, 18, 2, b'n', b'o']);
}
