//! One subchannel as a machine (A62, connection-backoff): IDLE, CONNECTING, READY, and back to IDLE; after a failure
//! TRANSIENT_FAILURE until the backoff is over, then IDLE.
//!
//! The machine decides when an attempt may start and how long it may take; who runs it makes the connection and the
//! timers. Reports that come too late for the state change nothing.

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
    state: SubchannelState,
    backoff: Backoff,
    /// The earliest time for another attempt, if the one under way fails. `None`: at once.
    retry_at: Option<Instant>,
}

impl Subchannel {
    /// An IDLE subchannel.
    #[must_use]
    pub fn new(config: BackoffConfig) -> Self {
        Self { state: SubchannelState::Idle, backoff: Backoff::new(config), retry_at: None }
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> &SubchannelState {
        &self.state
    }

    /// Starts an attempt; `None`, and nothing happens, unless IDLE.
    ///
    /// The backoff runs from the start of the attempt, so the attempt is given at least as long.
    pub fn connect(&mut self, now: Instant, random: &mut Random) -> Option<Attempt> {
        if self.state != SubchannelState::Idle {
            return None;
        }
        self.state = SubchannelState::Connecting;
        let wait = self.backoff.next(random);
        self.retry_at = Some(deadline::from_now(now, wait));
        let patience = wait.max(self.backoff.config().min_connect_timeout);
        Some(Attempt { deadline: deadline::from_now(now, patience) })
    }

    /// The attempt succeeded: READY, and the backoff starts anew with the next attempt.
    pub fn connected(&mut self) {
        if self.state == SubchannelState::Connecting {
            self.state = SubchannelState::Ready;
            self.backoff.reset();
        }
    }

    /// The attempt failed for `reason`: TRANSIENT_FAILURE until the returned time, which is never before `now`.
    ///
    /// Unless CONNECTING, nothing changes.
    pub fn failed(&mut self, now: Instant, reason: Arc<str>) -> Instant {
        match self.state {
            SubchannelState::Connecting => {
                let retry_at = self.retry_at.map_or(now, |at| at.max(now));
                self.state = SubchannelState::TransientFailure { reason, retry_at };
                retry_at
            }
            SubchannelState::TransientFailure { retry_at, .. } => retry_at,
            SubchannelState::Idle | SubchannelState::Ready => now,
        }
    }

    /// The backoff is over: from TRANSIENT_FAILURE to IDLE.
    pub fn backoff_over(&mut self) {
        if matches!(self.state, SubchannelState::TransientFailure { .. }) {
            self.state = SubchannelState::Idle;
        }
    }

    /// The connection ended, or the server drains it: from READY to IDLE.
    pub fn closed(&mut self) {
        if self.state == SubchannelState::Ready {
            self.state = SubchannelState::Idle;
        }
    }
}
