//! Who is connected to a server, for whoever wants to look (A14's socket data).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::transport::{counters::ConnectionStats, server::Statistics};

/// The connections of a server that are ready for calls, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Roll(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    present: BTreeMap<u64, Statistics>,
    /// How many connections there have been.
    came: u64,
}

impl Roll {
    /// Lists a connection until what this returns is dropped.
    pub(super) fn enter(self: &Arc<Self>, statistics: Statistics) -> Presence {
        let mut state = self.state();
        state.came += 1;
        let key = state.came;
        state.present.insert(key, statistics);
        Presence { roll: Arc::clone(self), key }
    }

    /// What each connection has done so far, and where it stands.
    pub(super) fn stats(&self) -> Vec<ConnectionStats> {
        self.state().present.values().map(Statistics::now).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place on the roll.
#[derive(Debug)]
pub(super) struct Presence {
    roll: Arc<Roll>,
    key: u64,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.roll.state().present.remove(&self.key);
    }
}
