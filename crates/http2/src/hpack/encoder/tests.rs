//! Tests of the encoder: what enters the table, and what is told of its size.

use super::*;

fn block(encoder: &mut Encoder, fields: &[(&str, &str, Indexing)]) -> Vec<u8> {
    let mut out = vec![];
    encoder.begin(&mut out);
    for (name, value, indexing) in fields {
        encoder.field(&mut out, name.as_bytes(), value.as_bytes(), *indexing);
    }
    out
}

#[test]
fn fields_of_the_static_table_are_one_byte_whatever_their_indexing() {
    let mut encoder = Encoder::new();
    for indexing in [Indexing::Always, Indexing::Second, Indexing::Not] {
        let fields = [(":method", "POST", indexing), (":scheme", "https", indexing), (":status", "200", indexing)];
        assert_eq!(block(&mut encoder, &fields), [0x83, 0x87, 0x88]);
    }
    assert_eq!(encoder.generation(), 0);
}

#[test]
fn every_field_of_the_static_table_is_found() {
    for ((name, value), index) in static_table::ENTRIES.iter().zip(1..) {
        let bytes = block(&mut Encoder::new(), &[(name, value, Indexing::Not)]);
        assert_eq!(bytes, [0x80 | index], "{name}: {value}");
    }
}

#[test]
fn a_block_that_is_repeated_is_a_row_of_indices() {
    let mut encoder = Encoder::new();
    let fields = [
        (":method", "POST", Indexing::Always),
        (":path", "/echo.Echo/Unary", Indexing::Always),
        ("te", "trailers", Indexing::Always),
    ];
    let first = block(&mut encoder, &fields);
    assert!(first.len() > 3);
    let generation = encoder.generation();
    assert_eq!(block(&mut encoder, &fields), [0x83, 0xbf, 0xbe]);
    assert_eq!(encoder.generation(), generation);
}

#[test]
fn a_value_that_comes_twice_enters_the_table() {
    let mut encoder = Encoder::new();
    let field = [("tenant", "a", Indexing::Second)];
    let first = block(&mut encoder, &field);
    assert_eq!((first[0], encoder.generation()), (0x00, 0));
    assert_eq!((block(&mut encoder, &field)[0], encoder.generation()), (0x40, 1));
    assert_eq!(block(&mut encoder, &field), [0xbe]);
}

#[test]
fn values_that_never_repeat_leave_the_table_alone() {
    let mut encoder = Encoder::new();
    block(&mut encoder, &[(":path", "/a/b", Indexing::Always)]);
    let generation = encoder.generation();
    for call in 0..10_000 {
        block(&mut encoder, &[("trace", &format!("{call:032x}"), Indexing::Second)]);
    }
    assert_eq!(encoder.generation(), generation);
}

#[test]
fn sensitive_fields_are_never_indexed() {
    let mut encoder = Encoder::new();
    let field = [("authorization", "Bearer x", Indexing::Never)];
    for _ in 0..3 {
        // Its name is of the static table, index 23.
        assert_eq!(block(&mut encoder, &field)[..2], [0x1f, 8]);
    }
    // Not even a value that the static table has.
    assert_eq!(block(&mut encoder, &[(":method", "GET", Indexing::Never)])[0], 0x12);
    assert_eq!(encoder.generation(), 0);
}

#[test]
fn fields_without_indexing_use_names_of_the_static_table_alone() {
    let mut encoder = Encoder::new();
    block(&mut encoder, &[("grpc-timeout", "1S", Indexing::Always)]);
    assert_eq!(block(&mut encoder, &[("grpc-timeout", "1S", Indexing::Not)])[0], 0);
    assert_eq!(block(&mut encoder, &[("grpc-timeout", "2S", Indexing::Second)])[..2], [0x0f, 47]);
    assert_eq!(block(&mut encoder, &[("user-agent", "x", Indexing::Not)])[..2], [0x0f, 43]);
}

#[test]
fn fields_of_more_than_half_the_table_stay_out_of_it() {
    let mut encoder = Encoder::new();
    let large = "x".repeat(2048 - 32);
    block(&mut encoder, &[("a", &large, Indexing::Always)]);
    assert_eq!(encoder.generation(), 0);
    block(&mut encoder, &[("a", &large[1..], Indexing::Always)]);
    assert_eq!(encoder.generation(), 1);
}

#[test]
fn the_default_size_and_more_need_no_word() {
    let mut encoder = Encoder::new();
    encoder.set_max_size(4096);
    encoder.set_max_size(1 << 20);
    assert!(block(&mut encoder, &[]).is_empty());
    assert_eq!(encoder.generation(), 0);
}

#[test]
fn a_change_of_size_is_told_once_and_in_front() {
    let mut encoder = Encoder::new();
    encoder.set_max_size(100);
    assert_eq!(block(&mut encoder, &[(":method", "GET", Indexing::Always)]), [0x3f, 0x45, 0x82]);
    assert_eq!(block(&mut encoder, &[(":method", "GET", Indexing::Always)]), [0x82]);
}

#[test]
fn the_least_of_several_sizes_is_told_first() {
    let mut encoder = Encoder::new();
    block(&mut encoder, &[("a", "b", Indexing::Always)]);
    for size in [10, 0, 30, 1 << 20] {
        encoder.set_max_size(size);
    }
    let bytes = block(&mut encoder, &[("a", "b", Indexing::Not)]);
    // 0, then 4096; and what was in the table is gone.
    assert_eq!(bytes[..5], [0x20, 0x3f, 0xe1, 0x1f, 0x00]);
}

#[test]
fn a_pending_size_makes_repeated_blocks_unfit() {
    let mut encoder = Encoder::new();
    let before = encoder.generation();
    encoder.set_max_size(100);
    let pending = encoder.generation();
    assert_ne!(before, pending);
    block(&mut encoder, &[]);
    assert_ne!(encoder.generation(), pending);
}

#[test]
fn a_peer_without_a_table_gets_literals() {
    let mut encoder = Encoder::new();
    encoder.set_max_size(0);
    let field = [("a", "b", Indexing::Always)];
    block(&mut encoder, &field);
    assert_eq!(block(&mut encoder, &field), b"\x00\x01a\x01b");
}
