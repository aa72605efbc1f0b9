//! What pickers show of a leaf that is READY.

use std::fmt::Debug;

use crate::lb::{
    picker::{Pick, PickArgs, Picker},
    token::SubchannelId,
};

/// An endpoint that is READY. As a picker it sends every call there.
#[derive(Clone, Debug)]
pub struct Ready<K> {
    /// What the policy keeps of it.
    pub kept: K,
    pub(super) subchannel: SubchannelId,
}

impl<K: Send + Sync + Debug> Picker for Ready<K> {
    fn pick(&self, _: &PickArgs<'_>) -> Pick {
        Pick::Use(self.subchannel)
    }
}
