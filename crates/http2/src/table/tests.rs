//! Tests of the stream table against a map of the standard library.

use std::collections::BTreeMap;

use super::{KEPT, LARGE, PATIENCE, Table};

#[test]
fn a_random_history_ends_as_that_of_a_plain_map() {
    for seed in 0..50 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut table, mut map) = (Table::new(), BTreeMap::new());
        let (mut next, parity) = (1, u32::from(random.bool()));
        for step in 0..2_000 {
            if random.u32(..1_000) < 700 - 600 * (step / 1_000) {
                assert_eq!(table.insert(next + parity, step), map.insert(next + parity, step));
                next += 2;
            } else {
                let id = random.u32(..next + 4);
                assert_eq!(table.remove(id), map.remove(&id), "seed {seed}");
            }
            let id = random.u32(..next + 4);
            assert_eq!(table.get(id), map.get(&id), "seed {seed}");
            assert_eq!(table.len(), map.len());
        }
        let mut left: Vec<_> = table.iter().map(|(id, value)| (id, *value)).collect();
        left.sort_unstable();
        assert_eq!(left, Vec::from_iter(map), "seed {seed}");
    }
}

#[test]
fn an_id_inserted_twice_is_replaced() {
    let mut table = Table::new();
    assert_eq!(table.insert(1, 'a'), None);
    assert_eq!(table.insert(1, 'b'), Some('a'));
    assert_eq!((table.len(), table.get(1)), (1, Some(&'b')));
}

#[test]
fn a_new_table_holds_no_memory_and_a_large_one_that_empties_gives_it_back() {
    let mut table = Table::new();
    assert_eq!(table.slots.capacity(), 0);
    wave(&mut table, 20_000);
    assert!(table.is_empty() && table.slots.capacity() <= LARGE);
}

#[test]
fn a_table_keeps_its_memory_between_waves_and_gives_it_back_when_they_end() {
    let mut table = Table::new();
    wave(&mut table, 500);
    let capacity = table.slots.capacity();
    for _ in 0..2 * PATIENCE * capacity {
        wave(&mut table, 500);
        assert_eq!(table.slots.capacity(), capacity);
    }
    for _ in 0..2 * PATIENCE * capacity {
        wave(&mut table, 1);
    }
    assert!(table.slots.capacity() <= KEPT);
}

/// So many streams come, and go when all have come.
fn wave(table: &mut Table<u32>, streams: u32) {
    (0..streams).for_each(|n| assert!(table.insert(n * 2 + 1, n).is_none()));
    (0..streams).for_each(|n| assert_eq!(table.remove(n * 2 + 1), Some(n)));
}

#[test]
fn neither_consecutive_nor_spaced_ids_make_long_clusters() {
    for step in [2, 16, 64, 512, 4096] {
        let mut table = Table::new();
        (0..1_000).for_each(|n| assert!(table.insert(n * step + 1, ()).is_none()));
        let mask = table.slots.len() - 1;
        let far = table.slots.iter().enumerate();
        let far = far.filter_map(|(at, slot)| Some(at.wrapping_sub(table.home(slot.as_ref()?.0)) & mask));
        assert!(far.max() < Some(64), "ids {step} apart");
    }
}

#[test]
fn what_is_extracted_has_left_and_the_rest_stays() {
    let mut table = Table::new();
    (0..100).for_each(|n| assert!(table.insert(n * 2 + 1, n).is_none()));
    let mut above = table.extract(|id, _| id > 101);
    above.sort_unstable();
    assert_eq!(above, Vec::from_iter((51..100).map(|n| (n * 2 + 1, n))));
    assert!((table.len(), table.contains(101), table.contains(103)) == (51, true, false));
    table.iter_mut().for_each(|(id, value)| *value = id);
    assert!(table.iter().all(|(id, value)| id == *value));
    assert_eq!(table.drain().count(), 51);
    assert!(table.is_empty() && table.get(1).is_none() && table.remove(1).is_none());
}
