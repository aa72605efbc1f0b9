//! One subchannel as a machine (A62, A105, connection-backoff): IDLE, CONNECTING, READY while it has a connection, and back
//! to IDLE; after a failure TRANSIENT_FAILURE until the backoff is over, then IDLE.
//!
//! A READY subchannel may make further connections, one attempt at a time and under the same backoff: whether one is under
//! way, or has failed, is to be seen when the last connection has ended. The machine decides when an attempt may start and
//! how long it may take; who runs it makes the connections and the timers. Reports that come too late change nothing.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Instant};

use crate::{
    backoff::{Backoff, BackoffConfig},
    deadline,
    lb::event::SubchannelState,
    random::Random,
};

/// An attempt to connect, just begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// When the attempt has failed if it has not succeeded.
    pub deadline: Instant,
}

/// The state of one subchannel and its backoff.
#[derive(Clone, Debug)]
pub struct Subchannel {
    connections: u32,
    /// Its state but for the connections it has: never READY.
    without: SubchannelState,
    backoff: Backoff,
    /// The earliest time for another attempt, if the one under way fails. `None`: at once.
    retry_at: Option<Instant>,
}

impl Subchannel {
    /// An IDLE subchannel.
    #[must_use]
    pub fn new(config: BackoffConfig) -> Self {
        Self { connections: 0, without: SubchannelState::Idle, backoff: Backoff::new(config), retry_at: None }
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> &SubchannelState {
        if self.connections > 0 { &SubchannelState::Ready } else { &self.without }
    }

    /// How many connections it has.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.connections
    }

    /// Starts an attempt; `None`, and nothing happens, unless IDLE.
    ///
    /// The backoff runs from the start of the attempt, so the attempt is given at least as long.
    pub fn connect(&mut self, now: Instant, random: &mut Random) -> Option<Attempt> {
        if self.connections > 0 { None } else { self.attempt(now, random) }
    }

    /// Starts an attempt for one more connection; `None`, and nothing happens, unless READY with fewer than `most`, with
    /// neither an attempt nor a backoff under way (A105).
    pub fn connect_another(&mut self, most: u32, now: Instant, random: &mut Random) -> Option<Attempt> {
        if self.may_grow(most) { self.attempt(now, random) } else { None }
    }

    /// Would [`connect_another`](Self::connect_another) start an attempt?
    #[must_use]
    pub fn may_grow(&self, most: u32) -> bool {
        (1..most).contains(&self.connections) && self.without == SubchannelState::Idle
    }

    fn attempt(&mut self, now: Instant, random: &mut Random) -> Option<Attempt> {
        if self.without != SubchannelState::Idle {
            return None;
        }
        self.without = SubchannelState::Connecting;
        let wait = self.backoff.next(random);
        self.retry_at = Some(deadline::from_now(now, wait));
        let patience = wait.max(self.backoff.config().min_connect_timeout);
        Some(Attempt { deadline: deadline::from_now(now, patience) })
    }

    /// The attempt succeeded: READY, and the backoff starts anew with the next attempt.
    pub fn connected(&mut self) {
        if self.without == SubchannelState::Connecting {
            self.without = SubchannelState::Idle;
            self.connections += 1;
            self.backoff.reset();
        }
    }

    /// The attempt failed for `reason`: none until the returned time, which is never before `now`, and TRANSIENT_FAILURE
    /// unless there is a connection.
    ///
    /// Without an attempt, nothing changes.
    pub fn failed(&mut self, now: Instant, reason: Arc<str>) -> Instant {
        match self.without {
            SubchannelState::Connecting => {
                let retry_at = self.retry_at.map_or(now, |at| at.max(now));
                self.without = SubchannelState::TransientFailure { reason, retry_at };
                retry_at
            }
            SubchannelState::TransientFailure { retry_at, .. } => retry_at,
            SubchannelState::Idle | SubchannelState::Ready => now,
        }
    }

    /// The backoff is over: from TRANSIENT_FAILURE to IDLE, unless there is a connection.
    pub fn backoff_over(&mut self) {
        if matches!(self.without, SubchannelState::TransientFailure { .. }) {
            self.without = SubchannelState::Idle;
        }
    }

    /// A connection ended, or the server drains it. After the last one: IDLE, or CONNECTING if an attempt is under way, or
    /// TRANSIENT_FAILURE if one has failed and the backoff is not over.
    pub fn closed(&mut self) {
        self.connections = self.connections.saturating_sub(1);
    }
}
