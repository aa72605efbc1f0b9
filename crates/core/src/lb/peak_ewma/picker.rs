//! The picker of `peak_ewma`: the power of two choices.

use std::sync::Arc;

use super::estimate::{Meter, Tuning};
use crate::lb::{
    dense::Snapshot,
    petiole::Ready,
    picker::{Pick, PickArgs, Picker},
};

/// Draws two different endpoints and takes the one that costs less.
#[derive(Debug)]
pub(super) struct TwoChoices {
    pub(super) ready: Snapshot<Ready<Arc<Meter>>>,
    pub(super) tuning: Arc<Tuning>,
}

impl TwoChoices {
    fn choose(&self, args: &PickArgs<'_>, now: u64) -> Option<&Ready<Arc<Meter>>> {
        let (count, first) = (self.ready.len(), args.place(self.ready.len()));
        let one = self.ready.get(first)?;
        if count < 2 {
            return Some(one);
        }
        let other = self.ready.get((first + 1 + args.place(count - 1)) % count)?;
        Some(if other.kept.cost(&self.tuning, now) < one.kept.cost(&self.tuning, now) { other } else { one })
    }
}

impl Picker for TwoChoices {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        let now = self.tuning.since_origin(args.now);
        self.choose(args, now).map_or(Pick::Queue, |chosen| {
            chosen.kept.touch(now);
            chosen.pick(args)
        })
    }
}
