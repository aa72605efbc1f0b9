//! A dense map against a plain one.

use std::collections::BTreeMap;

use super::Dense;
use crate::random::Random;

#[test]
fn it_behaves_as_a_map_and_has_no_holes() {
    let (mut dense, mut plain, mut random) = (Dense::default(), BTreeMap::new(), Random::new(7));
    for round in 0..60_000_u64 {
        // Mostly up to the 1,500 that take three levels, then mostly down to none.
        let (key, growing) = (random.below(1_600), round % 20_000 < 9_000);
        if random.below(8) < if growing { 1 } else { 7 } {
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
fn snapshots_of_all_sizes_stay_as_they_were() {
    let (mut dense, mut snapshots) = (Dense::default(), vec![]);
    for key in 0..1_100_usize {
        snapshots.push(dense.snapshot());
        dense.insert(key, key);
    }
    for key in (0..1_100).rev() {
        assert!(dense.remove(key));
        let (then, now) = (&snapshots[key], dense.snapshot());
        assert_eq!((then.len(), now.len()), (key, key));
        assert!(then.iter().eq(now.iter()) && then.iter().copied().eq(0..key));
        assert_eq!((now.get(key), now.get(usize::MAX)), (None, None));
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
