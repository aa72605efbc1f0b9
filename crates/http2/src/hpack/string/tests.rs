//! Tests of string literals.

use super::*;

#[test]
fn strings_come_back_in_whichever_form_is_shorter() {
    let long = "x".repeat(1000);
    for (text, coded) in [("", false), ("www.example.com", true), ("\u{7f}\u{1}", false), (long.as_str(), true)] {
        let mut out = vec![];
        encode(text.as_bytes(), &mut out);
        assert_eq!(out[0] & HUFFMAN != 0, coded, "{text}");
        assert!(out.len() <= text.len() + 1 || text.len() > 126);
        out.push(7);
        let mut scratch = vec![];
        assert_eq!(decode(&out, &mut scratch), Ok((text.as_bytes(), &[7][..])));
    }
}

#[test]
fn a_string_beyond_the_block_is_refused() {
    let refused = |block: &[u8]| decode(block, &mut vec![]).unwrap_err().text;
    assert_eq!(refused(&[]), "HPACK: the block ends where a string is due");
    assert_eq!(refused(&[3, b'a', b'b']), "HPACK: the block ends within a string");
    assert_eq!(refused(&[0xff, 0x80]), "HPACK: the block ends within an integer");
}

#[test]
fn what_an_earlier_string_left_behind_is_not_read_again() {
    let mut scratch = b"left over".to_vec();
    let mut block = vec![];
    encode(b"custom-key", &mut block);
    assert_eq!(decode(&block, &mut scratch).unwrap().0, b"custom-key");
}
