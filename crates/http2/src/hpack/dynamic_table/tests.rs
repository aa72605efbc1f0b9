//! Tests of the dynamic table's order and eviction.

use super::*;

impl Entry for usize {
    fn size(&self) -> usize {
        *self
    }
}

fn table(sizes: &[usize]) -> DynamicTable<usize> {
    let mut table = DynamicTable::new(100);
    for size in sizes {
        table.insert(*size);
    }
    table
}

fn held(table: &DynamicTable<usize>) -> Vec<usize> {
    table.iter().copied().collect()
}

#[test]
fn the_newest_entry_comes_first() {
    let table = table(&[40, 50]);
    assert_eq!((table.get(0), table.get(1), table.get(2)), (Some(&50), Some(&40), None));
}

#[test]
fn the_oldest_entries_make_room() {
    assert_eq!(held(&table(&[40, 50, 10])), [10, 50, 40]);
    assert_eq!(held(&table(&[40, 50, 11])), [11, 50]);
    assert_eq!(held(&table(&[40, 50, 60])), [60]);
}

#[test]
fn an_entry_larger_than_the_table_empties_it() {
    let mut table = table(&[40, 50, 101]);
    assert_eq!(held(&table), []);
    table.insert(100);
    assert_eq!(held(&table), [100]);
}

#[test]
fn a_smaller_table_evicts_at_once() {
    let mut table = table(&[40, 50]);
    table.resize(89);
    assert_eq!(held(&table), [50]);
    table.resize(0);
    assert_eq!(held(&table), []);
    table.insert(1);
    assert_eq!(held(&table), []);
}
