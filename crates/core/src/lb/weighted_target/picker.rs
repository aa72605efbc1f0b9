//! The picker of `weighted_target`: chance decides by weight.

use std::sync::Arc;

use super::lottery::Lottery;
use crate::lb::picker::{Pick, PickArgs, Picker};

/// A random one of the children, each as often as its weight says.
#[derive(Debug)]
pub(super) struct Weighted(pub(super) Lottery<Arc<dyn Picker>>);

impl Picker for Weighted {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        self.0.draw(args.random()).map_or(Pick::Queue, |child| child.pick(args))
    }
}
