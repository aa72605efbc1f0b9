//! A persistent map without holes: a picker indexes a snapshot of it, while the policy changes one entry at a time.

mod vector;

use std::{
    collections::BTreeMap,
    fmt::{self, Debug},
};

use self::vector::Vector;

/// Values by key, and all of them at the places `0..len`.
///
/// To insert, replace or remove takes O(log n), and a [`Snapshot`] is O(1), so a picker over thousands of children is
/// renewed for every change of one of them. A removal moves the last value into the hole.
pub struct Dense<K, V> {
    values: Vector<V>,
    keys: Vec<K>,
    places: BTreeMap<K, usize>,
}

impl<K: Copy + Ord, V: Clone> Dense<K, V> {
    /// Puts `value` at the place of `key`, a new one at the end if it has none yet.
    pub fn insert(&mut self, key: K, value: V) {
        if let Some(place) = self.places.get(&key) {
            self.values.set(*place, value);
        } else {
            self.places.insert(key, self.keys.len());
            self.keys.push(key);
            self.values.push(value);
        }
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.places.get(key).and_then(|place| self.values.get(*place))
    }

    /// Removes `key` and its value. Says whether it was there.
    pub fn remove(&mut self, key: K) -> bool {
        let Some(place) = self.places.remove(&key) else { return false };
        self.keys.swap_remove(place);
        if let (Some(moved), Some(last)) = (self.keys.get(place), self.values.get(self.keys.len()).cloned()) {
            self.places.insert(*moved, place);
            self.values.set(place, last);
        }
        self.values.pop();
        true
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Is there no value at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The values as they are now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<V> {
        Snapshot(self.values.clone())
    }
}

impl<K, V> Default for Dense<K, V> {
    fn default() -> Self {
        Self { values: Vector::default(), keys: vec![], places: BTreeMap::new() }
    }
}

impl<K: Debug, V: Debug> Debug for Dense<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.keys.iter().zip(self.values.iter())).finish()
    }
}

/// The values of a [`Dense`] at one moment; later changes do not touch it.
#[derive(Clone)]
pub struct Snapshot<V>(Vector<V>);

impl<V> Snapshot<V> {
    /// The value at this place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&V> {
        self.0.get(place)
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there no value at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// The values in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &V> {
        self.0.iter()
    }
}

impl<V: Debug> Debug for Snapshot<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests;
