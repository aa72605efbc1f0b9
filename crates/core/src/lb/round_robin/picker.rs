//! The picker of `round_robin`: a rotation over the ready endpoints.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::lb::{
    dense::Snapshot,
    petiole::Ready,
    picker::{Pick, PickArgs, Picker},
};

/// Whose turn it is. Survives snapshots, so that a new one goes on where the last one stopped.
pub(super) type Turn = Arc<AtomicUsize>;

/// Each ready endpoint in turn.
#[derive(Debug)]
pub(super) struct Rotation {
    pub(super) ready: Snapshot<Ready<()>>,
    pub(super) turn: Turn,
}

impl Picker for Rotation {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        let turn = self.turn.fetch_add(1, Relaxed);
        let place = turn.checked_rem(self.ready.len());
        place.and_then(|place| self.ready.get(place)).map_or(Pick::Queue, |ready| ready.pick(args))
    }
}
