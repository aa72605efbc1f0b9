//! A set of places on a ring, in which the next member from any place on is found at once.

use std::sync::Arc;

/// The bits of a word.
const BITS: usize = u64::BITS as usize;

/// Some of the places `0..len`.
///
/// The lowest level has a bit for each place; a bit of any other level says that a word of the level below is not empty.
/// A clone is O(1), and the first change after it copies what it has to: an eighth of a byte for each place.
#[derive(Clone, Debug)]
pub(super) struct Places {
    levels: Vec<Arc<[u64]>>,
}

impl Places {
    /// None of `len` places.
    pub(super) fn none(len: usize) -> Self {
        let mut levels: Vec<Arc<[u64]>> = vec![];
        let mut words = len;
        while words > 1 || levels.is_empty() {
            words = words.div_ceil(BITS);
            levels.push(vec![0; words].into());
        }
        Self { levels }
    }

    /// Puts a place in, or takes it out.
    pub(super) fn put(&mut self, place: usize, member: bool) {
        let (mut at, mut set) = (place, member);
        for level in &mut self.levels {
            let bit = 1 << (at % BITS);
            at /= BITS;
            let Some(&before) = level.get(at) else { return };
            let after = if set { before | bit } else { before & !bit };
            if after == before {
                return;
            }
            Arc::make_mut(level)[at] = after;
            if before != 0 && after != 0 {
                return;
            }
            set = after != 0;
        }
    }

    /// The first member from `from` on, going round.
    pub(super) fn next(&self, from: usize) -> Option<usize> {
        self.at_or_behind(from).or_else(|| self.at_or_behind(0))
    }

    /// Climbs until a word has a member at or behind `from`, and descends to the first one below it.
    fn at_or_behind(&self, from: usize) -> Option<usize> {
        let mut at = from;
        for (height, level) in self.levels.iter().enumerate() {
            let word = at / BITS;
            let rest = level.get(word)? & (!0 << (at % BITS));
            if rest != 0 {
                let found = word * BITS + rest.trailing_zeros() as usize;
                let below = self.levels[..height].iter().rev();
                return Some(below.fold(found, |word, level| word * BITS + level[word].trailing_zeros() as usize));
            }
            at = word + 1;
        }
        None
    }
}

#[cfg(test)]
mod tests;
