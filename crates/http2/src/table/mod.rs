//! The streams of a connection by their ids: open addressing with linear probing.
//!
//! Ids of one side are consecutive odd or even numbers. Taken as they are they would make one long cluster, in which
//! every removal has to move its neighbours; Fibonacci hashing spreads them out.

#[cfg(test)]
mod tests;

use std::mem;

/// Slots of the smallest table that holds anything.
const SMALLEST: usize = 16;
/// Slots that a table keeps in any case.
const KEPT: usize = 256;
/// Slots from which on a table gives memory back as soon as it is nearly empty.
const LARGE: usize = 8192;
/// Smaller tables do so only after so many removals per slot without having been filled again: streams come in waves, and
/// memory that comes and goes with each costs more than all the streams in it.
const PATIENCE: usize = 4;

/// A map from stream ids to `T`. It holds no memory while it is new, grows as it fills, and shrinks when it is nearly
/// empty. Id 0 is no stream and can be looked up, but not inserted.
#[derive(Debug)]
pub struct Table<T> {
    /// A power of two of slots, at least half of them empty; none at all in a new table.
    slots: Vec<Option<(u32, T)>>,
    len: usize,
    /// Removals since the table was last worth its size.
    spare: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Table<T> {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: Vec::new(), len: 0, spare: 0 }
    }

    /// How many streams are in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Is no stream in it?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What is kept for this stream.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&T> {
        let at = self.find(id)?;
        self.slots[at].as_ref().map(|(_, value)| value)
    }

    /// What is kept for this stream, to change it.
    pub fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        let at = self.find(id)?;
        self.slots[at].as_mut().map(|(_, value)| value)
    }

    /// Is something kept for this stream?
    #[must_use]
    pub fn contains(&self, id: u32) -> bool {
        self.find(id).is_some()
    }

    /// Keeps `value` for this stream, and returns what was kept before.
    pub fn insert(&mut self, id: u32, value: T) -> Option<T> {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            self.resize((self.slots.len() * 2).max(SMALLEST));
        }
        let before = self.put(id, value);
        self.len += usize::from(before.is_none());
        before
    }

    /// Removes what is kept for this stream, and returns it.
    pub fn remove(&mut self, id: u32) -> Option<T> {
        let hole = self.find(id)?;
        let (_, value) = self.slots[hole].take()?;
        self.len -= 1;
        self.close(hole);
        if self.slots.len() > KEPT {
            self.shrink();
        }
        Some(value)
    }

    /// All streams, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slots.iter().flatten().map(|(id, value)| (*id, value))
    }

    /// All streams, in no order, to change what is kept for them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut T)> {
        self.slots.iter_mut().flatten().map(|(id, value)| (*id, value))
    }

    /// Empties the table and gives its memory back; all that was in it, in no order.
    pub fn drain(&mut self) -> impl Iterator<Item = (u32, T)> + use<T> {
        self.len = 0;
        mem::take(&mut self.slots).into_iter().flatten()
    }

    /// Moves the streams for which `leaves` is true out of the table.
    pub fn extract(&mut self, mut leaves: impl FnMut(u32, &T) -> bool) -> Vec<(u32, T)> {
        let ids: Vec<u32> = self.iter().filter(|(id, value)| leaves(*id, value)).map(|(id, _)| id).collect();
        ids.into_iter().filter_map(|id| Some((id, self.remove(id)?))).collect()
    }

    /// Where the search for this stream begins.
    fn home(&self, id: u32) -> usize {
        // The upper half of the product is the well-mixed one.
        let mixed = u64::from(id >> 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        mixed as usize & (self.slots.len() - 1)
    }

    fn find(&self, id: u32) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut at = self.home(id);
        while let Some((found, _)) = &self.slots[at] {
            if *found == id {
                return Some(at);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// There must be an empty slot.
    fn put(&mut self, id: u32, value: T) -> Option<T> {
        let mask = self.slots.len() - 1;
        let mut at = self.home(id);
        while let Some((found, kept)) = &mut self.slots[at] {
            if *found == id {
                return Some(mem::replace(kept, value));
            }
            at = (at + 1) & mask;
        }
        self.slots[at] = Some((id, value));
        None
    }

    /// Moves those that follow an emptied slot, so that no search ends too early.
    fn close(&mut self, mut hole: usize) {
        let mask = self.slots.len() - 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let Some((id, _)) = &self.slots[at] else { return };
            let from_home = at.wrapping_sub(self.home(*id)) & mask;
            let from_hole = at.wrapping_sub(hole) & mask;
            if from_home >= from_hole {
                self.slots.swap(hole, at);
                hole = at;
            }
        }
    }

    /// Gives memory back that has not been needed for long.
    fn shrink(&mut self) {
        if self.len * 4 > self.slots.len() {
            self.spare = 0;
            return;
        }
        self.spare += 1;
        let patience = if self.slots.len() > LARGE { 0 } else { PATIENCE * self.slots.len() };
        if self.len * 16 < self.slots.len() && self.spare > patience {
            self.spare = 0;
            self.resize(self.slots.len() / 4);
        }
    }

    fn resize(&mut self, slots: usize) {
        let mut empty = Vec::new();
        empty.resize_with(slots, || None);
        for (id, value) in mem::replace(&mut self.slots, empty).into_iter().flatten() {
            self.put(id, value);
        }
    }
}
