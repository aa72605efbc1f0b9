//! Tests of integers at their edges.

use super::*;

fn encoded(value: usize, prefix: u32) -> Vec<u8> {
    let mut out = vec![];
    encode(value, prefix, 0, &mut out);
    out
}

#[test]
fn the_examples_of_the_rfc_read_and_write() {
    // RFC 7541 section C.1.
    for (value, prefix, bytes) in [(10, 5, vec![10]), (1337, 5, vec![31, 154, 10]), (42, 8, vec![42])] {
        if prefix < 8 {
            assert_eq!(encoded(value, prefix), bytes);
            assert_eq!(decode(bytes[0], &bytes[1..], prefix), Ok((value, &[][..])));
        } else {
            assert_eq!(encoded(value, 7), bytes);
        }
    }
}

#[test]
fn every_prefix_brings_back_values_around_its_edges() {
    for prefix in 4..8 {
        let edges = (0..28).flat_map(|bit| [(1_usize << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for value in edges {
            let mut bytes = encoded(value, prefix);
            bytes.push(0xaa);
            assert_eq!(decode(bytes[0], &bytes[1..], prefix), Ok((value, &[0xaa][..])), "{value} in {prefix} bits");
        }
    }
}

#[test]
fn flags_above_the_prefix_are_kept_and_ignored() {
    let mut out = vec![];
    encode(3, 4, 0x10, &mut out);
    encode(300, 4, 0x10, &mut out);
    assert_eq!(out, [0x13, 0x1f, 0x9d, 0x02]);
    assert_eq!(decode(out[1], &out[2..], 4), Ok((300, &[][..])));
}

#[test]
fn an_integer_that_never_ends_is_refused() {
    let error = decode(0xff, &[0x80; 100], 7).unwrap_err();
    assert_eq!(error.text, "HPACK: an integer has more than 28 bits");
    assert_eq!(error.code, crate::error::Code::COMPRESSION_ERROR);
}

#[test]
fn an_integer_beyond_the_block_is_refused() {
    let error = decode(0xff, &[0x80], 7).unwrap_err();
    assert_eq!(error.text, "HPACK: the block ends within an integer");
}
