//! A dense map against a plain one.

use std::collections::BTreeMap;

use super::Dense;
use crate::random::Random;

#[test]
fn it_behaves_as_a_map_and_has_no_holes() {
    let (mut dense, mut plain, mut random) = (Dense::default(), BTreeMap::new(), Random::new(7));
    for round in 0..20_000_u64 {
        let key = random.below(600);
        if random.below(3) == 0 {
            assert_eq!(dense.remove(key), plain.remove(&key).is_some());
        } else {
            dense.insert(key, (key, round));
            plain.insert(key, (key, round));
        }
        if round % 500 == 0 {
            let mut values: Vec<_> = dense.snapshot().iter().copied().collect();
            values.sort_unstable();
            assert_eq!(values, plain.values().copied().collect::<Vec<_>>());
            assert_eq!((dense.len(), dense.is_empty()), (plain.len(), plain.is_empty()));
            assert_eq!(dense.get(&key), plain.get(&key));
        }
    }
}

#[test]
fn a_snapshot_does_not_see_later_changes() {
    let mut dense = Dense::default();
    for key in 0..100 {
        dense.insert(key, key);
    }
    let before = dense.snapshot();
    for key in 0..100 {
        dense.remove(key);
    }
    assert_eq!(before.iter().copied().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    assert_eq!((before.len(), before.get(99), before.get(100)), (100, Some(&99), None));
    assert!(dense.snapshot().is_empty());
}
