//! The picker of `random`.

use crate::lb::{
    dense::Snapshot,
    petiole::Ready,
    picker::{Pick, PickArgs, Picker},
};

/// Any of these endpoints.
#[derive(Debug)]
pub(super) struct AnyOf(pub(super) Snapshot<Ready<()>>);

impl Picker for AnyOf {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        self.0.get(args.place(self.0.len())).map_or(Pick::Queue, |ready| ready.pick(args))
    }
}
