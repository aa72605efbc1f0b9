//! The ring (A42): which endpoint owns which hashes. The same one as in grpc-go, C-core and Envoy.

use std::{fmt::Write, sync::Arc};

use twox_hash::XxHash64;

/// The seed of every hash (A42).
const SEED: u64 = 0;

/// The most places that a ring may have: Envoy's limit, and the protocol's (A42).
pub const LARGEST_RING: u32 = 8 * 1024 * 1024;

/// The hash of some bytes (XXH64).
pub(super) fn hash(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(SEED, bytes)
}

/// The hash of bytes that come in pieces.
pub(super) fn hasher() -> XxHash64 {
    XxHash64::with_seed(SEED)
}

/// All that a ring follows from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Recipe {
    /// The hash key and the weight (not zero) of each owner, in the order of the keys.
    pub(super) owners: Vec<(Arc<str>, u64)>,
    /// No fewer places than this, unless `max` says so.
    pub(super) min: u32,
    /// No more places than this.
    pub(super) max: u32,
}

/// Places in the order of their hashes, each with an owner. An owner is known by its number in the [`Recipe`].
#[derive(Debug, Default)]
pub(super) struct Ring {
    recipe: Recipe,
    hashes: Box<[u64]>,
    owners: Box<[u32]>,
    /// The places of each owner: `places[starts[n]..starts[n + 1]]`.
    places: Box<[u32]>,
    starts: Box<[u32]>,
}

impl Ring {
    /// Every owner has places in proportion to its weight, as many as needed for whole numbers of them, within the
    /// recipe's limits. O(places × log(places)).
    pub(super) fn new(recipe: Recipe) -> Self {
        let mut all = all_places(&recipe);
        all.sort_unstable();
        let mut starts = vec![0; recipe.owners.len() + 1];
        for (_, owner) in &all {
            starts[*owner as usize + 1] += 1;
        }
        for owner in 1..starts.len() {
            starts[owner] += starts[owner - 1];
        }
        let (mut places, mut next) = (vec![0; all.len()], starts.clone());
        for (place, (_, owner)) in all.iter().enumerate() {
            let next: &mut u32 = &mut next[*owner as usize];
            places[*next as usize] = place as u32;
            *next += 1;
        }
        let (hashes, owners): (Vec<u64>, Vec<u32>) = all.into_iter().unzip();
        Self { recipe, hashes: hashes.into(), owners: owners.into(), places: places.into(), starts: starts.into() }
    }

    /// What it was made from.
    pub(super) fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The first place from `hash` on, going round.
    pub(super) fn place(&self, hash: u64) -> usize {
        let place = self.hashes.partition_point(|h| *h < hash);
        if place < self.hashes.len() { place } else { 0 }
    }

    /// Whose place it is.
    pub(super) fn owner(&self, place: usize) -> Option<usize> {
        self.owners.get(place).map(|owner| *owner as usize)
    }

    /// The places of an owner: none, if there are more owners than places and it went away empty-handed.
    pub(super) fn places(&self, owner: usize) -> &[u32] {
        match self.starts.get(owner..) {
            Some([start, end, ..]) => &self.places[*start as usize..*end as usize],
            _ => &[],
        }
    }

    #[cfg(test)]
    fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        let key = |owner: &u32| &*self.recipe.owners[*owner as usize].0;
        self.hashes.iter().copied().zip(self.owners.iter().map(key))
    }
}

/// The hash and the owner of every place. Floating-point arithmetic is part of what implementations agree on.
fn all_places(recipe: &Recipe) -> Vec<(u64, u32)> {
    let max = recipe.max.clamp(1, LARGEST_RING);
    let min = recipe.min.clamp(1, max);
    let sum = recipe.owners.iter().map(|(_, weight)| *weight).sum::<u64>() as f64;
    let share = |weight: u64| weight as f64 / sum;
    let least = recipe.owners.iter().map(|(_, weight)| share(*weight)).fold(1.0, f64::min);
    // The owner of the least weight gets a whole number of places, if there are enough.
    let scale = f64::min((least * f64::from(min)).ceil() / least, f64::from(max));
    let mut all = Vec::with_capacity(scale.ceil() as usize);
    let (mut made, mut wanted) = (0.0, 0.0);
    let mut text = String::new();
    for (owner, (key, weight)) in recipe.owners.iter().enumerate() {
        wanted += scale * share(*weight);
        text.clear();
        text.push_str(key);
        text.push('_');
        let stem = text.len();
        let mut number = 0;
        while made < wanted {
            text.truncate(stem);
            // Writing to a string cannot fail.
            let _ = write!(text, "{number}");
            all.push((hash(text.as_bytes()), owner as u32));
            (number, made) = (number + 1, made + 1.0);
        }
    }
    all
}

#[cfg(test)]
mod tests;
