//! Keepalive pings (A8 on the client, A9 on the server), as a machine that is told the time.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use thalweg_core::deadline;

/// When to ping an otherwise silent connection, and how long to wait for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Ping after this much silence; `None`: never (the default on a client). At least 10 s on a client (A8), 1 s on a
    /// server.
    pub time: Option<Duration>,
    /// Close the connection when a ping is not answered in this time (20 s).
    pub timeout: Duration,
    /// Ping even while no call is in flight. Servers refuse that unless told otherwise.
    pub while_idle: bool,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self { time: None, timeout: Duration::from_secs(20), while_idle: false }
    }
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing before this time (or before a call begins, if `None`).
    Wait(Option<Instant>),
    /// Send a ping and ask again.
    Ping,
    /// The peer is gone: close the connection.
    Close,
}

/// The state of one connection's keepalive.
#[derive(Debug)]
pub(crate) struct KeepaliveState {
    options: Keepalive,
    /// When the unanswered ping was sent.
    pinged: Option<Instant>,
    /// The last answer, or the beginning.
    quiet_since: Instant,
}

impl KeepaliveState {
    pub(crate) fn new(options: Keepalive, now: Instant) -> Self {
        Self { options, pinged: None, quiet_since: now }
    }

    /// Is there anything to watch at all?
    pub(crate) fn is_on(&self) -> bool {
        self.options.time.is_some()
    }

    /// The peer answered the ping.
    pub(crate) fn on_pong(&mut self, now: Instant) {
        self.pinged = None;
        self.quiet_since = now;
    }

    /// What to do at `now`, if bytes last came in at `last_read` and `active` says whether calls are in flight.
    ///
    /// Any byte counts as an answer, as in grpc-go.
    pub(crate) fn decide(&mut self, now: Instant, last_read: Instant, active: bool) -> Action {
        let Some(time) = self.options.time else { return Action::Wait(None) };
        self.quiet_since = self.quiet_since.max(last_read);
        if let Some(sent) = self.pinged {
            let due = deadline::from_now(sent.max(last_read), self.options.timeout);
            return if now >= due { Action::Close } else { Action::Wait(Some(due)) };
        }
        let due = deadline::from_now(self.quiet_since, time);
        if now < due {
            return Action::Wait(Some(due));
        }
        if !active && !self.options.while_idle {
            return Action::Wait(None);
        }
        self.pinged = Some(now);
        Action::Ping
    }
}

/// What a server lets clients ping (A8, A9). The third ping that comes too early ends the connection: ENHANCE_YOUR_CALM,
/// `too_many_pings`. Whenever the server has sent data or ended a call since the last ping, all is forgiven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepaliveEnforcement {
    /// The least time between two pings (5 min).
    pub min_time: Duration,
    /// May clients ping while they have no call in flight? If not (the default), one ping in two hours is let pass.
    pub permit_without_calls: bool,
}

impl Default for KeepaliveEnforcement {
    fn default() -> Self {
        Self { min_time: Duration::from_secs(5 * 60), permit_without_calls: false }
    }
}

/// Counts the pings of one client that come too early.
#[derive(Debug)]
pub(crate) struct Enforcement {
    rules: KeepaliveEnforcement,
    last: Option<Instant>,
    strikes: u32,
    /// What had been sent at the last ping.
    sent: u64,
}

impl Enforcement {
    /// Early pings that are forgiven.
    const FORGIVEN: u32 = 2;
    /// How often a client may ping that has no call in flight, and should not at all.
    const IDLE: Duration = Duration::from_secs(2 * 60 * 60);

    pub(crate) fn new(rules: KeepaliveEnforcement) -> Self {
        Self { rules, last: None, strikes: 0, sent: 0 }
    }

    /// A ping has come at `now`. `sent` counts what was sent for calls: whoever gets answers may ping for them. Is it still
    /// bearable?
    pub(crate) fn allows(&mut self, now: Instant, has_calls: bool, sent: u64) -> bool {
        let last = self.last.replace(now);
        if std::mem::replace(&mut self.sent, sent) != sent {
            self.strikes = 0;
            return true;
        }
        let least = if has_calls || self.rules.permit_without_calls { self.rules.min_time } else { Self::IDLE };
        if last.is_some_and(|last| now < deadline::from_now(last, least)) {
            self.strikes += 1;
        }
        self.strikes <= Self::FORGIVEN
    }
}
