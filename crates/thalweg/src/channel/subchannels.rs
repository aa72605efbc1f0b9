//! The channel's table of subchannels, by slot.

use std::sync::Arc;

use thalweg_core::{
    endpoint::Address,
    lb::{SubchannelId, Tracker, Watch},
    subchannel::Subchannel as Machine,
};

use super::{health::Watched, scaling::Quiet};
use crate::{
    panics::Contained,
    rt::Task,
    snapshot::ReadySubchannel,
    subchannel::{ConnectionKey, pool::Pool},
};

/// One subchannel: its machine, and what is under way for it.
#[derive(Debug)]
pub(super) struct Subchannel {
    pub(super) address: Address,
    pub(super) machine: Machine,
    /// How many attempts there were, the present one included.
    pub(super) attempts: u64,
    pub(super) attempt: Option<Task>,
    /// Its connections, and the calls that wait for one.
    pub(super) pool: Arc<Pool>,
    pub(super) quiet: Quiet,
    /// Who sees every call.
    pub(super) trackers: Vec<(Watch, Contained<Tracker>)>,
    pub(super) watched: Watched,
}

impl Subchannel {
    pub(super) fn new(address: Address, machine: Machine) -> Self {
        Self {
            address,
            machine,
            attempts: 0,
            attempt: None,
            pool: Pool::new(),
            quiet: Quiet::default(),
            trackers: vec![],
            watched: Watched::default(),
        }
    }
}

/// All subchannels that the policy tree holds.
#[derive(Debug, Default)]
pub(super) struct Subchannels {
    by_slot: Vec<Option<(SubchannelId, Subchannel)>>,
}

impl Subchannels {
    pub(super) fn insert(&mut self, id: SubchannelId, subchannel: Subchannel) {
        if self.by_slot.len() <= id.slot() {
            self.by_slot.resize_with(id.slot() + 1, || None);
        }
        self.by_slot[id.slot()] = Some((id, subchannel));
    }

    pub(super) fn remove(&mut self, id: SubchannelId) -> Option<Subchannel> {
        let slot = self.by_slot.get_mut(id.slot())?;
        slot.take_if(|(present, _)| *present == id).map(|(_, subchannel)| subchannel)
    }

    /// `None` if it is gone, or its slot is another's.
    pub(super) fn get_mut(&mut self, id: SubchannelId) -> Option<&mut Subchannel> {
        let (present, subchannel) = self.by_slot.get_mut(id.slot())?.as_mut()?;
        (*present == id).then_some(subchannel)
    }

    /// All there are.
    pub(super) fn ids(&self) -> Vec<SubchannelId> {
        self.by_slot.iter().flatten().map(|(id, _)| *id).collect()
    }

    /// The subchannel, if `key` is its present attempt.
    pub(super) fn of_attempt(&mut self, key: ConnectionKey) -> Option<&mut Subchannel> {
        self.get_mut(key.subchannel).filter(|subchannel| subchannel.attempts == key.attempt)
    }

    /// The subchannel as calls see it, if it is READY.
    pub(super) fn ready(&mut self, id: SubchannelId) -> Option<ReadySubchannel> {
        let subchannel = self.get_mut(id)?;
        let trackers: Arc<[_]> = subchannel.trackers.iter().map(|(_, tracker)| tracker.clone()).collect();
        let (connections, pool) = (subchannel.pool.members(), subchannel.pool.clone());
        let address = subchannel.address.clone();
        (!connections.is_empty()).then_some(ReadySubchannel { id, address, connections, pool, trackers })
    }
}
