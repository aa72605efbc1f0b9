//! The dynamic table (RFC 7541 sections 2.3.2 and 4): newest first, bounded by the bytes that its entries count.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

/// What a table holds.
pub(super) trait Entry {
    /// Bytes that it counts (section 4.1).
    fn size(&self) -> usize;
}

/// The table of one direction of a connection.
#[derive(Debug)]
pub(super) struct DynamicTable<E> {
    entries: VecDeque<E>,
    size: usize,
    max: usize,
}

impl<E: Entry> DynamicTable<E> {
    /// An empty table that may take `max` bytes.
    pub(super) fn new(max: usize) -> Self {
        Self { entries: VecDeque::new(), size: 0, max }
    }

    /// The entry that is `age` insertions older than the newest.
    #[inline]
    pub(super) fn get(&self, age: usize) -> Option<&E> {
        self.entries.get(age)
    }

    /// All entries, newest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &E> {
        self.entries.iter()
    }

    /// Bytes that the table may take.
    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Makes room and inserts. An entry larger than the whole table only empties it (section 4.4).
    pub(super) fn insert(&mut self, entry: E) {
        let size = entry.size();
        self.evict_above(self.max.saturating_sub(size));
        if size <= self.max {
            self.size += size;
            self.entries.push_front(entry);
        }
    }

    /// Changes the bytes that the table may take (section 4.3).
    pub(super) fn resize(&mut self, max: usize) {
        self.max = max;
        self.evict_above(max);
    }

    fn evict_above(&mut self, max: usize) {
        while self.size > max
            && let Some(oldest) = self.entries.pop_back()
        {
            self.size -= oldest.size();
        }
    }
}
