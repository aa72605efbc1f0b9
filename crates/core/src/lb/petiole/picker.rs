//! What pickers show of a leaf that is READY.

use std::sync::Arc;

use crate::lb::picker::{Pick, PickArgs, Picker};

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
