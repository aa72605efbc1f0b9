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
    /// Nothing before this time (or before something changes, if `None`).
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
        if !active && !self.options.while_idle {
            return Action::Wait(None);
        }
        let due = deadline::from_now(self.quiet_since, time);
        if now < due {
            return Action::Wait(Some(due));
        }
        self.pinged = Some(now);
        Action::Ping
    }
}
