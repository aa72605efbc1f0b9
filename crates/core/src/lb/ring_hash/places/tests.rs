//! A set of places against the plainest set there is.

use std::collections::BTreeSet;

use super::Places;
use crate::random::Random;

fn next(set: &BTreeSet<usize>, from: usize) -> Option<usize> {
    set.range(from..).next().or_else(|| set.first()).copied()
}

#[test]
fn it_finds_what_a_plain_set_finds_whatever_its_size() {
    let mut random = Random::new(7);
    for len in [1, 2, 63, 64, 65, 4_095, 4_096, 4_097, 300_000] {
        let (mut places, mut plain) = (Places::none(len), BTreeSet::new());
        for _ in 0..2_000 {
            let place = random.below(len as u64) as usize;
            // Mostly few members: the far ones must be found too.
            if random.below(3) == 0 {
                places.put(place, true);
                plain.insert(place);
            } else if let Some(member) = next(&plain, place) {
                places.put(member, false);
                plain.remove(&member);
            }
            let from = random.below(len as u64) as usize;
            assert_eq!(places.next(from), next(&plain, from), "{len} places, from {from}: {plain:?}");
        }
    }
}

#[test]
fn a_clone_does_not_see_later_changes() {
    let mut places = Places::none(10_000);
    places.put(9_999, true);
    let snapshot = places.clone();
    places.put(9_999, false);
    places.put(1, true);
    assert_eq!((snapshot.next(0), places.next(2)), (Some(9_999), Some(1)));
}

#[test]
fn a_place_beyond_the_ring_is_no_place() {
    let mut places = Places::none(0);
    places.put(700, true);
    assert_eq!(places.next(0), None);
}
