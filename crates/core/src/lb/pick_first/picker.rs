//! The picker of a chosen connection.

use crate::lb::{
    picker::{Pick, PickArgs, Picker},
    token::SubchannelId,
};

/// Every call goes to one subchannel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen(pub(super) SubchannelId);

impl Picker for Chosen {
    fn pick(&self, _: &PickArgs<'_>) -> Pick {
        Pick::Use(self.0)
    }
}
