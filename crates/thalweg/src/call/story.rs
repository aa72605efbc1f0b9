//! Where a call's time went, for the error that has to tell it.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use thalweg_core::endpoint::Address;
use tonic::{Code, Status};

use crate::error::{LocalError, WireError, WireErrorKind, status};

/// The stations of one call.
#[derive(Debug)]
pub(super) struct Story {
    begun: Instant,
    sent: Option<(Instant, Address)>,
    answered: Option<Instant>,
    /// Why there was no backend, when last asked.
    obstacle: Option<String>,
}

impl Story {
    pub(super) fn new(begun: Instant) -> Self {
        Self { begun, sent: None, answered: None, obstacle: None }
    }

    /// A stream was opened.
    pub(super) fn sent(&mut self, at: Instant, to: Address) {
        self.sent = Some((at, to));
    }

    /// The response's head has come.
    pub(super) fn answered(&mut self, at: Instant) {
        self.answered = Some(at);
    }

    /// There is no backend, and this is why.
    pub(super) fn obstructed(&mut self, why: String) {
        self.obstacle = Some(why);
    }

    /// When the call began.
    pub(super) fn begun(&self) -> Instant {
        self.begun
    }

    /// DEADLINE_EXCEEDED, and where the time went.
    pub(super) fn deadline_exceeded(&self, now: Instant) -> Status {
        let mut text = format!("after {}: ", short(now - self.begun));
        let queued = self.sent.as_ref().map_or(now, |(at, _)| *at) - self.begun;
        // Writing to a string cannot fail.
        let _ = write!(text, "{} waiting for a READY backend", short(queued));
        match (&self.sent, &self.obstacle) {
            (Some((sent, address)), _) => {
                let waited = self.answered.unwrap_or(now) - *sent;
                let _ = write!(text, ", {} waiting for response headers from {address}", short(waited));
                if let Some(answered) = self.answered {
                    let _ = write!(text, ", {} reading the response", short(now - answered));
                }
            }
            (None, Some(why)) => {
                let _ = write!(text, " ({why})");
            }
            (None, None) => {}
        }
        LocalError::DeadlineExceeded.status(Code::DeadlineExceeded, text)
    }

    /// The status of a broken stream. A server that gives up at our deadline says CANCEL: that is the deadline's doing.
    pub(super) fn broken(&self, error: WireError, deadline: Option<Instant>, now: Instant) -> Status {
        const CANCEL: u32 = 8;
        let late = deadline.is_some_and(|deadline| now >= deadline);
        match &self.sent {
            Some(_) if late && error.kind == WireErrorKind::Reset(CANCEL) => self.deadline_exceeded(now),
            Some((_, address)) => status::of_wire(error, address),
            None => status::of_wire(error, &Address::Opaque("no backend".into())),
        }
    }
}

/// A duration in whole milliseconds, or microseconds below one.
fn short(time: Duration) -> String {
    let unit = if time >= Duration::from_millis(1) { 1_000_000 } else { 1_000 };
    let nanos = time.as_nanos() as u64;
    format!("{:?}", Duration::from_nanos(nanos - nanos % unit))
}
