//! The picker of `peak_ewma`: the power of two choices.

use std::sync::Arc;

use super::estimate::Meter;
use crate::lb::{
    dense::Snapshot,
    petiole::Ready,
    picker::{Pick, PickArgs, Picker},
};

/// Draws two different endpoints and takes the one that costs less.
#[derive(Debug)]
pub(super) struct TwoChoices(pub(super) Snapshot<Ready<Arc<Meter>>>);

impl TwoChoices {
    fn choose(&self, args: &PickArgs<'_>) -> Option<&Ready<Arc<Meter>>> {
        let (count, first) = (self.0.len(), args.place(self.0.len()));
        let one = self.0.get(first)?;
        if count < 2 {
            return Some(one);
        }
        let other = self.0.get((first + 1 + args.place(count - 1)) % count)?;
        Some(if other.kept.cost(args.now) < one.kept.cost(args.now) { other } else { one })
    }
}

impl Picker for TwoChoices {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        self.choose(args).map_or(Pick::Queue, |chosen| {
            chosen.kept.touch(args.now);
            chosen.pick(args)
        })
    }
}
