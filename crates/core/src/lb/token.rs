//! The names by which the world answers a policy: all `Copy`, all given at once, before what they name exists.

/// A subchannel: `slot` indexes the data path's table, `generation` tells a reused slot from the one that died, and from
/// the same slot of another channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SubchannelId {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

impl SubchannelId {
    /// The place in the channel's table of subchannels.
    #[must_use]
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    /// Tells it from the others that had this slot, here or in another channel. Each time the slot is used again it is one
    /// more; where it begins is the [`Mint`](super::Mint)'s own.
    #[must_use]
    pub fn generation(self) -> u32 {
        self.generation
    }
}

/// One armed timer; dead once fired or cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Timer(pub(super) u64);

/// "A call that needs me is waiting." A picker hands it out, the policy gets `on_wake`. It names neither a subchannel
/// nor a child, because a lazily created child has neither yet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Wake(pub(super) u64);

/// One subscription of one policy to one subchannel: to its health, its load or its calls.
///
/// Several policies may watch the same subchannel. `of` comes first, so that the watches of a subchannel are one range
/// of an ordered map.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Watch {
    pub(super) of: SubchannelId,
    pub(super) key: u64,
}

impl Watch {
    /// The subchannel that is watched.
    #[must_use]
    pub fn of(self) -> SubchannelId {
        self.of
    }
}

/// Any of the above: what a parent's routing table is keyed by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Token {
    /// Of a subchannel's states.
    Subchannel(SubchannelId),
    /// Of a subchannel's health or load.
    Watch(Watch),
    /// Of time.
    Timer(Timer),
    /// Of a waiting call.
    Wake(Wake),
}
