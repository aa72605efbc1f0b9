//! The picker of a parent whose every child has failed: their stories become one.

use std::sync::Arc;

use super::{
    dense::Snapshot,
    failure::Failure,
    picker::{Pick, PickArgs, Picker},
};

/// How many failed children are asked for their story.
const ASKED: usize = 8;

/// Fails calls with the stories of the first eight children, and counts the others.
#[derive(Debug)]
pub struct AllFailed(pub Snapshot<Arc<dyn Picker>>);

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
