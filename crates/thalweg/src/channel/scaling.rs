//! How many connections each subchannel has (A105): one more when calls wait for a stream, one less when nobody needs it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use thalweg_core::{deadline, lb::SubchannelId};

use super::{driver::Driver, error::ScalingError, timers::Due};
use crate::{rt, subchannel::pool::Pool};

/// How many connections a channel may have to one address, besides what the service config says
/// (`connectionScaling.maxConnectionsPerSubchannel`, 1 if it says nothing).
///
/// When every connection to an address has as many calls as the server allows (MAX_CONCURRENT_STREAMS), a call waits until
/// another ends, or until one more connection is made, if there may be one more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionScaling {
    /// The most that the service config may ask for (10; at least 1).
    pub limit: u32,
    /// How many are made from the beginning, and made anew when they end (1; at most `limit`), whatever the service config
    /// says. Calls still take the oldest one that has a stream for them: further ones only save a sudden crowd the wait.
    pub initial: u32,
    /// Closes a connection that had no call for this long, up to twice as long, as long as there are more than `initial`.
    /// `None`, the default: connections stay until the server ends them.
    pub idle_timeout: Option<Duration>,
}

impl Default for ConnectionScaling {
    fn default() -> Self {
        Self { limit: 10, initial: 1, idle_timeout: None }
    }
}

impl ConnectionScaling {
    /// Is every option in its range?
    ///
    /// # Errors
    ///
    /// The first that is not.
    pub fn validate(&self) -> Result<(), ScalingError> {
        let Self { limit, initial, idle_timeout } = *self;
        if limit == 0 {
            return Err(ScalingError::Limit);
        }
        if !(1..=limit).contains(&initial) {
            return Err(ScalingError::Initial { initial, limit });
        }
        if idle_timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(ScalingError::IdleTimeout);
        }
        Ok(())
    }

    /// How many connections there may be, if the service config says `configured`.
    fn most(&self, configured: u32) -> u32 {
        configured.max(self.initial).min(self.limit)
    }
}

/// Since when the connections of a subchannel have been idle, as far as anybody has looked.
#[derive(Debug, Default)]
pub(super) struct Quiet(BTreeMap<u64, (u64, Instant)>);

impl Quiet {
    /// A connection that could be closed, because it has had no call since a look `timeout` ago. The youngest first.
    fn find(&mut self, pool: &Pool, timeout: Duration, now: Instant) -> Option<u64> {
        let members = pool.members();
        self.0.retain(|attempt, _| members.iter().any(|member| member.attempt == *attempt));
        members.iter().rev().map(|member| (member.attempt, member.connection.stats())).find_map(|(attempt, stats)| {
            let started = stats.counters.streams_started;
            let (before, since) = self.0.entry(attempt).or_insert((started, now));
            if stats.calls > 0 || *before != started {
                (*before, *since) = (started, now);
            }
            (deadline::from_now(*since, timeout) <= now).then_some(attempt)
        })
    }

    /// When the next one may have been idle for long enough.
    fn next(&self, timeout: Duration) -> Option<Instant> {
        self.0.values().map(|(_, since)| deadline::from_now(*since, timeout)).min()
    }
}

impl Driver {
    /// How many connections a subchannel may have at present.
    fn most_connections(&self) -> u32 {
        let config = self.config.as_ref().unwrap_or(&self.plan.default_config);
        self.plan.scaling.most(config.connection_scaling().map_or(1, |scaling| scaling.max_connections_per_subchannel))
    }

    /// Another service config may be in force: subchannels that may have more connections now may need them.
    pub(super) fn rescale(&mut self) {
        let most = self.most_connections();
        if std::mem::replace(&mut self.most, most) != most {
            for id in self.subchannels.ids() {
                self.grow(id);
            }
        }
    }

    /// Makes one more connection for a subchannel that has some, if it needs one and may have it.
    pub(super) fn grow(&mut self, id: SubchannelId) {
        let most = self.most;
        let Some(subchannel) = self.subchannels.get_mut(id) else { return };
        subchannel.pool.set_most(most);
        if !subchannel.machine.may_grow(most) {
            return;
        }
        let wanted = subchannel.machine.connections() < self.plan.scaling.initial || subchannel.pool.wants_more();
        if wanted && let Some(attempt) = subchannel.machine.connect_another(most, rt::now(), &mut self.random) {
            tracing::debug!(address = %subchannel.address, "one more connection");
            self.attempt(id, attempt);
        }
    }

    /// Begins to look whether a subchannel has more connections than it needs, if that is wanted and not going on.
    pub(super) fn watch_surplus(&mut self, id: SubchannelId) {
        let Some(timeout) = self.plan.scaling.idle_timeout else { return };
        let Some(subchannel) = self.subchannels.get_mut(id) else { return };
        if subchannel.machine.connections() > self.plan.scaling.initial && !self.timers.is_set(Due::Surplus(id)) {
            self.timers.set(Due::Surplus(id), deadline::from_now(rt::now(), timeout));
        }
    }

    /// Closes what connections of a subchannel nobody has needed for long.
    pub(super) fn close_surplus(&mut self, id: SubchannelId, now: Instant) {
        let Some(timeout) = self.plan.scaling.idle_timeout else { return };
        let initial = self.plan.scaling.initial;
        let Some(subchannel) = self.subchannels.get_mut(id) else { return };
        let mut closed = false;
        while subchannel.machine.connections() > initial
            && let Some(attempt) = subchannel.quiet.find(&subchannel.pool, timeout, now)
        {
            tracing::debug!(address = %subchannel.address, "closing a connection that nobody needs");
            subchannel.pool.remove(attempt);
            subchannel.machine.closed();
            closed = true;
        }
        if subchannel.machine.connections() > initial {
            let next = subchannel.quiet.next(timeout).unwrap_or_else(|| deadline::from_now(now, timeout));
            self.timers.set(Due::Surplus(id), next);
        }
        if closed {
            self.show(id);
            self.refresh_health(id);
        }
    }
}
