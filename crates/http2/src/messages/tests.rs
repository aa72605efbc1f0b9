//! Tests of counting messages.

use super::Messages;

fn message(len: u32) -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.extend(len.to_be_bytes());
    bytes.extend((0..len).map(|n| n as u8));
    bytes
}

#[test]
fn a_chunk_that_is_one_message_counts_one() {
    let mut messages = Messages::new();
    assert_eq!(messages.follow(&message(0)), 1);
    assert_eq!(messages.follow(&message(300)), 1);
    assert!(messages.is_between());
}

#[test]
fn messages_are_counted_however_their_bytes_are_cut() {
    let bytes: Vec<u8> = [3, 0, 1, 70_000, 0, 300].into_iter().flat_map(message).collect();
    let mut random = fastrand::Rng::with_seed(7);
    for longest in [1, 2, 4, 5, 6, 100, 100_000] {
        let (mut messages, mut ended, mut rest) = (Messages::new(), 0, &bytes[..]);
        while !rest.is_empty() {
            let (part, later) = rest.split_at(random.usize(1..=longest).min(rest.len()));
            ended += messages.follow(part);
            rest = later;
        }
        assert_eq!((ended, messages.is_between()), (6, true), "parts of up to {longest}");
    }
}

#[test]
fn a_message_counts_when_its_last_byte_has_passed() {
    let mut messages = Messages::new();
    assert_eq!(messages.follow(&message(10)[..14]), 0);
    assert!(!messages.is_between());
    assert_eq!(messages.follow(&[9]), 1);
}

#[test]
fn the_largest_length_is_followed_without_overflow() {
    let mut messages = Messages::new();
    assert_eq!(messages.follow(&[255, 255, 255, 255, 255]), 0);
    assert_eq!(messages.follow(&[0; 1000]), 0);
    assert_eq!(messages, Messages { prefix: 5, left: u32::MAX - 1000 });
}

#[test]
fn nothing_follows_from_no_bytes() {
    let mut messages = Messages::new();
    assert_eq!(messages.follow(&[]), 0);
    assert_eq!(messages.follow(&[0, 0]), 0);
    assert_eq!(messages.follow(&[]), 0);
    assert_eq!(messages.follow(&[0, 0, 0]), 1);
}
