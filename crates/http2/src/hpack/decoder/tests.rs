//! Tests of the decoder: the forms of fields, and blocks that break a rule.

use http::{HeaderName, HeaderValue, Method};

use super::*;
use crate::{error::Code, hpack::field::Scheme};

fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<(Field, usize)>, Violation> {
    let mut fields = vec![];
    decoder.decode(block, &mut |field, size| fields.push((field.clone(), size)))?;
    Ok(fields)
}

fn refused(block: &[u8]) -> Violation {
    decode(&mut Decoder::new(4096), block).unwrap_err()
}

fn header(name: &'static str, value: &'static str) -> Field {
    Field::Header(HeaderName::from_static(name), HeaderValue::from_static(value))
}

#[test]
fn the_static_table_is_read_by_index() {
    let fields = decode(&mut Decoder::new(4096), &[0x83, 0x86, 0x87, 0x82]).unwrap();
    let expected = [
        (Field::Method(Method::POST), 7 + 4 + 32),
        (Field::Scheme(Scheme::Http), 7 + 4 + 32),
        (Field::Scheme(Scheme::Https), 7 + 5 + 32),
        (Field::Method(Method::GET), 7 + 3 + 32),
    ];
    assert_eq!(fields, expected);
}

#[test]
fn a_literal_that_enters_the_table_is_read_by_index_afterwards() {
    let mut decoder = Decoder::new(4096);
    let literal = b"\x40\x01a\x01b";
    assert_eq!(decode(&mut decoder, literal).unwrap(), [(header("a", "b"), 34)]);
    assert_eq!(decode(&mut decoder, &[0xbe]).unwrap(), [(header("a", "b"), 34)]);
    // The same name with another value: the older entry moves up.
    assert_eq!(decode(&mut decoder, b"\x7e\x01c\xbf").unwrap(), [(header("a", "c"), 34), (header("a", "b"), 34)]);
}

#[test]
fn a_literal_without_indexing_leaves_the_table_alone() {
    let mut decoder = Decoder::new(4096);
    assert_eq!(decode(&mut decoder, b"\x00\x01a\x01b\x04\x02/x").unwrap().len(), 2);
    assert!(decode(&mut decoder, &[0xbe]).is_err());
}

#[test]
fn a_literal_that_must_not_be_indexed_is_sensitive() {
    let fields = decode(&mut Decoder::new(4096), b"\x10\x01a\x01b\x00\x01a\x01b").unwrap();
    let sensitive = fields
        .iter()
        .map(|(field, _)| matches!(field, Field::Header(_, value) if value.is_sensitive()))
        .collect::<Vec<_>>();
    assert_eq!(sensitive, [true, false]);
}

#[test]
fn a_malformed_field_is_told_and_decoding_goes_on() {
    let mut decoder = Decoder::new(4096);
    let fields = decode(&mut decoder, b"\x40\x01A\x01b\x40\x01a\x01\x00\x83").unwrap();
    assert!(matches!(fields[0].0, Field::Malformed(_)));
    assert!(matches!(fields[1].0, Field::Malformed(_)));
    // A value that is malformed says nothing of its name.
    assert_eq!(decode(&mut decoder, b"\x7e\x01b").unwrap(), [(header("a", "b"), 34)]);
}

#[test]
fn indices_outside_of_both_tables_are_refused() {
    for (block, index) in [(&[0x80][..], 0), (&[0xbe], 62), (&[0xff, 0x80, 0x01], 255)] {
        let error = refused(block);
        assert_eq!(error.code, Code::COMPRESSION_ERROR);
        assert_eq!(error.text, format!("HPACK: index {index} is in neither table"));
    }
    // As the name of a literal.
    assert_eq!(refused(b"\x7e\x01a").text, "HPACK: index 62 is in neither table");
}

#[test]
fn blocks_that_end_too_early_are_refused() {
    for block in [&b"\xff"[..], b"\x40", b"\x40\x01", b"\x40\x01a", b"\x40\x01a\x02b", b"\x0f", b"\x44"] {
        assert_eq!(refused(block).code, Code::COMPRESSION_ERROR, "{block:?}");
        assert!(refused(block).text.starts_with("HPACK: the block ends"), "{block:?}");
    }
}

#[test]
fn the_size_of_the_table_changes_only_at_the_front() {
    assert!(decode(&mut Decoder::new(4096), &[0x20, 0x3f, 0xe1, 0x1f, 0x83]).is_ok());
    let error = refused(&[0x83, 0x20]);
    assert_eq!(error.text, "HPACK: the table's size changes after the first field of a block");
    assert_eq!(error.code, Code::COMPRESSION_ERROR);
}

#[test]
fn a_table_larger_than_announced_is_refused() {
    assert_eq!(refused(&[0x3f, 0xe2, 0x1f]).text, "HPACK: a table of 4097 bytes where 4096 are allowed");
    assert!(decode(&mut Decoder::new(5000), &[0x3f, 0xe2, 0x1f]).is_ok());
}

#[test]
fn a_smaller_table_forgets_what_it_has_no_room_for() {
    let mut decoder = Decoder::new(4096);
    assert!(decode(&mut decoder, b"\x40\x01a\x01b\x40\x01a\x01c").is_ok());
    // 34 bytes: room for one.
    assert_eq!(decode(&mut decoder, b"\x3f\x03\xbe").unwrap(), [(header("a", "c"), 34)]);
    assert!(decode(&mut decoder, &[0xbf]).is_err());
}

#[test]
fn a_field_larger_than_the_table_empties_it() {
    let mut decoder = Decoder::new(70);
    assert!(decode(&mut decoder, b"\x40\x01a\x01b\xbe").is_ok());
    let large = [&b"\x40\x01a\x40"[..], &[b'x'; 64]].concat();
    assert_eq!(decode(&mut decoder, &large).unwrap()[0].1, 97);
    assert!(decode(&mut decoder, &[0xbe]).is_err());
}

#[test]
fn memory_for_decoded_strings_is_given_back() {
    let mut block = vec![0, 1, b'a'];
    string::encode(&[b'0'; 10_000], &mut block);
    let mut decoder = Decoder::new(4096);
    assert!(decode(&mut decoder, &block).is_ok());
    assert!(decoder.scratch.capacity() <= KEPT);
}

#[test]
fn random_bytes_never_panic() {
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..20_000 {
        let mut decoder = Decoder::new(random.usize(..200));
        for _ in 0..4 {
            let len = random.usize(..40);
            let block = std::iter::repeat_with(|| random.u8(..)).take(len).collect::<Vec<_>>();
            if decode(&mut decoder, &block).is_err() {
                break;
            }
            assert!(decoder.dynamic.iter().map(|entry| entry.size).sum::<usize>() <= decoder.dynamic.max());
        }
    }
}

#[test]
fn a_literal_that_comes_again_says_the_same() {
    let mut decoder = Decoder::new(4096);
    // :path, without indexing, as h2 spells it out; then another, and six that push the first one out.
    let path = |path: &str| [&[0x04, path.len() as u8], path.as_bytes()].concat();
    let mut said = |block: &[u8]| {
        let mut fields = Vec::new();
        decoder.decode(block, &mut |field, size| fields.push((format!("{field:?}"), size))).unwrap();
        fields
    };
    let first = said(&path("/a.A/One"));
    assert_eq!(first, said(&path("/a.A/One")));
    assert_ne!(first, said(&path("/a.A/Two")));
    (0..6).for_each(|n| drop(said(&path(&format!("/a.A/{n}")))));
    assert_eq!(first, said(&path("/a.A/One")));
    // The same bytes twice in a block are two fields.
    assert_eq!(said(&[path("/x"), path("/x")].concat()).len(), 2);
}

#[test]
fn a_literal_that_is_cut_short_is_an_error_though_its_beginning_came_before() {
    let mut decoder = Decoder::new(4096);
    decoder.decode(&[0x04, 2, b'/', b'x'], &mut |_, _| ()).unwrap();
    assert!(decoder.decode(&[0x04, 2, b'/'], &mut |_, _| ()).is_err());
}
