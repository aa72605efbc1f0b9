//! Prefixes are read however the stream is cut.

use super::{Prefixes, TooLarge};

/// A message of `size` bytes with its prefix.
fn message(size: u32) -> Vec<u8> {
    let mut bytes = vec![0];
    bytes.extend(size.to_be_bytes());
    bytes.resize(5 + size as usize, 7);
    bytes
}

#[test]
fn messages_up_to_the_limit_pass_however_they_are_cut() {
    let stream = [message(10), message(0), message(3)].concat();
    for cut in 1..stream.len() {
        let mut prefixes = Prefixes::new(10);
        for chunk in stream.chunks(cut) {
            assert_eq!(prefixes.follow(chunk), Ok(()), "cut into {cut}");
        }
        assert!(prefixes.is_between(), "cut into {cut}");
    }
}

#[test]
fn a_message_over_the_limit_is_refused_by_its_prefix_alone() {
    let stream = [message(10), message(11)].concat();
    for cut in 1..20 {
        let mut prefixes = Prefixes::new(10);
        let refused = stream[..20].chunks(cut).find_map(|chunk| prefixes.follow(chunk).err());
        // The prefix is bytes 15 to 19.
        let before = 15_usize.saturating_sub(19 / cut * cut);
        assert_eq!(refused, Some(TooLarge { size: 11, limit: 10, before }), "cut into {cut}");
    }
}

#[test]
fn a_stream_that_ends_within_a_message_is_not_between_two() {
    let mut prefixes = Prefixes::new(10);
    assert_eq!(prefixes.follow(&message(10)[..4]), Ok(()));
    assert!(!prefixes.is_between());
    assert_eq!(prefixes.follow(&message(10)[4..9]), Ok(()));
    assert!(!prefixes.is_between());
}
