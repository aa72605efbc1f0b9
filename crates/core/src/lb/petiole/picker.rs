//! What pickers show of leaves: one that is READY, or the stories of all that have failed.

use std::sync::Arc;

use crate::lb::{
    dense::Snapshot,
    failure::Failure,
    picker::{Pick, PickArgs, Picker},
};

/// How many failed leaves are asked for their story.
const ASKED: usize = 8;

/// A leaf's own picker.
pub(super) type Leaf = Arc<dyn Picker>;

/// An endpoint that is READY.
#[derive(Clone, Debug)]
pub struct Ready<K> {
    /// What the policy keeps of it.
    pub kept: K,
    pub(super) leaf: Leaf,
}

impl<K> Ready<K> {
    /// Sends a call there.
    #[must_use]
    pub fn pick(&self, args: &PickArgs<'_>) -> Pick {
        self.leaf.pick(args)
    }
}

/// Every leaf has failed: their stories become one.
#[derive(Debug)]
pub(super) struct AllFailed(pub(super) Snapshot<Leaf>);

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
