//! The driver's timers: one ordered set, one alarm.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use thalweg_core::lb::{SubchannelId, Timer};

/// What a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Due {
    /// A policy armed it.
    Policy(Timer),
    /// A subchannel's backoff is over.
    Backoff(SubchannelId),
    /// Does a subchannel have connections that nobody needs?
    Surplus(SubchannelId),
    /// The resolver may be asked again.
    Resolver,
    /// Has anybody called lately?
    Idleness,
}

/// What is due, and when.
#[derive(Debug, Default)]
pub(super) struct Timers {
    by_time: BTreeSet<(Instant, Due)>,
    by_purpose: BTreeMap<Due, Instant>,
}

impl Timers {
    /// Makes `due` ring at `at`, and at no other time.
    pub(super) fn set(&mut self, due: Due, at: Instant) {
        self.cancel(due);
        self.by_time.insert((at, due));
        self.by_purpose.insert(due, at);
    }

    pub(super) fn cancel(&mut self, due: Due) {
        if let Some(at) = self.by_purpose.remove(&due) {
            self.by_time.remove(&(at, due));
        }
    }

    /// Will this one ring?
    pub(super) fn is_set(&self, due: Due) -> bool {
        self.by_purpose.contains_key(&due)
    }

    /// When the next one rings.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes one that is due by `now`, the earliest first.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Due> {
        let (at, due) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.cancel(due);
        Some(due)
    }

    /// Forgets what policies armed.
    pub(super) fn clear_policies(&mut self) {
        let is_policys = |due: &Due| matches!(due, Due::Policy(_));
        self.by_time.retain(|(_, due)| !is_policys(due));
        self.by_purpose.retain(|due, _| !is_policys(due));
    }

    pub(super) fn clear(&mut self) {
        self.by_time.clear();
        self.by_purpose.clear();
    }
}
