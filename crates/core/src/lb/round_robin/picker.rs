//! The pickers of `round_robin`: a rotation over the ready children, or the stories of the failed ones.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::lb::{
    dense::Snapshot,
    failure::Failure,
    picker::{Pick, PickArgs, Picker},
};

/// How many failed children are asked for their story.
const ASKED: usize = 8;

/// Whose turn it is. Survives snapshots, so that a new one goes on where the last one stopped.
pub(super) type Turn = Arc<AtomicUsize>;

/// Each ready child in turn.
#[derive(Debug)]
pub(super) struct Rotation {
    pub(super) ready: Snapshot<Arc<dyn Picker>>,
    pub(super) turn: Turn,
}

impl Picker for Rotation {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        let turn = self.turn.fetch_add(1, Relaxed);
        let place = turn.checked_rem(self.ready.len());
        place.and_then(|place| self.ready.get(place)).map_or(Pick::Queue, |child| child.pick(args))
    }
}

/// Every child has failed: their stories become one.
#[derive(Debug)]
pub(super) struct AllFailed(pub(super) Snapshot<Arc<dyn Picker>>);

impl Picker for AllFailed {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        let stories = self.0.iter().take(ASKED).filter_map(|child| match child.pick(args) {
            Pick::Fail(failure) => Some(failure),
            Pick::Use(_) | Pick::Queue | Pick::Drop(_) => None,
        });
        let unasked = self.0.len().saturating_sub(ASKED);
        Failure::merged(stories).map_or(Pick::Queue, |failure| Pick::Fail(failure.and_more(unasked)))
    }
}
