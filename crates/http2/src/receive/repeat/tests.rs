//! Tests of blocks that repeat.

use super::Repeat;
use crate::{fields::Fields, head::Trailers, hpack::decoder::Decoder};

/// Room for the whole list.
const LIMIT: usize = 16 << 10;
/// `grpc-status: 0` and `grpc-status: 5`, to be inserted.
const OK: &[u8] = b"\x40\x0bgrpc-status\x010";
const NOT_FOUND: &[u8] = b"\x40\x0bgrpc-status\x015";
/// The newest entry of the dynamic table.
const NEWEST: &[u8] = &[0x80 | 62];

/// Reads a block as the receiver does. The status that it says, and whether it was known.
fn read(block: &[u8], decoder: &mut Decoder, repeat: &mut Repeat<Fields>) -> (Option<u8>, bool) {
    if let Some(known) = repeat.find(block, decoder) {
        return (known.head.grpc_status, true);
    }
    let (begun, mut trailers) = (decoder.generation(), Trailers::new(LIMIT));
    decoder.decode(block, &mut |field, size| trailers.field(field, size)).unwrap();
    let message = trailers.finish().unwrap();
    repeat.keep(block, begun, decoder, &message, &message.head);
    (message.head.grpc_status, false)
}

#[test]
fn a_block_is_known_again() {
    let (mut decoder, mut repeat) = (Decoder::new(4096), Repeat::default());
    assert_eq!(read(OK, &mut decoder, &mut repeat), (Some(0), false));
    assert_eq!(read(NEWEST, &mut decoder, &mut repeat), (Some(0), false));
    assert_eq!(read(NEWEST, &mut decoder, &mut repeat), (Some(0), true));
}

#[test]
fn a_block_that_changes_the_table_is_read_each_time() {
    let (mut decoder, mut repeat) = (Decoder::new(4096), Repeat::default());
    for _ in 0..3 {
        assert_eq!(read(OK, &mut decoder, &mut repeat), (Some(0), false));
    }
}

#[test]
fn a_block_is_read_anew_when_its_indices_mean_something_else() {
    let (mut decoder, mut repeat) = (Decoder::new(4096), Repeat::default());
    read(OK, &mut decoder, &mut repeat);
    read(NEWEST, &mut decoder, &mut repeat);
    read(NOT_FOUND, &mut decoder, &mut repeat);
    assert_eq!(read(NEWEST, &mut decoder, &mut repeat), (Some(5), false));
    assert_eq!(read(NEWEST, &mut decoder, &mut repeat), (Some(5), true));
}

#[test]
fn a_block_is_broken_when_its_indices_are_gone() {
    let (mut decoder, mut repeat) = (Decoder::new(4096), Repeat::default());
    read(OK, &mut decoder, &mut repeat);
    read(NEWEST, &mut decoder, &mut repeat);
    decoder.decode(&[0x20], &mut |_, _| {}).unwrap();
    assert!(repeat.find(NEWEST, &decoder).is_none());
}

#[test]
fn metadata_are_not_kept() {
    let (mut decoder, mut repeat) = (Decoder::new(4096), Repeat::default());
    for _ in 0..3 {
        assert_eq!(read(b"\x00\x01a\x01b", &mut decoder, &mut repeat), (None, false));
    }
}
