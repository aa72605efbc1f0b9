//! Where a call's time went, for the error that has to tell it.

use std::{
    fmt,
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
    detour: Option<Box<Detour>>,
}

/// What most calls don't meet.
#[derive(Debug, Default)]
struct Detour {
    /// Call credentials were asked for.
    asked: bool,
    /// Call credentials were there.
    proven: Option<Instant>,
    /// It had to wait for a stream.
    queued: Option<Wait>,
    /// Why there was no backend or no stream, when last asked.
    obstacle: Option<String>,
}

/// A wait for a stream, perhaps at one backend after the other.
#[derive(Debug)]
struct Wait {
    since: Instant,
    /// Where, at last.
    on: Address,
    /// When it was over, without a stream.
    left: Option<Instant>,
}

impl Story {
    /// A call begins, by asking for call credentials or not.
    pub(super) fn new(begun: Instant, asked: bool) -> Self {
        let detour = asked.then(|| Box::new(Detour { asked, ..Detour::default() }));
        Self { begun, sent: None, answered: None, detour }
    }

    fn detour(&mut self) -> &mut Detour {
        self.detour.get_or_insert_default()
    }

    /// The call credentials have come.
    pub(super) fn proven(&mut self, at: Instant) {
        self.detour().proven = Some(at);
    }

    /// All connections to a backend are full. Whoever has waited before has done so all the time.
    pub(super) fn queued(&mut self, at: Instant, on: &Address) {
        let since = self.detour().queued.take().map_or(at, |before| before.since);
        self.detour().queued = Some(Wait { since, on: on.clone(), left: None });
    }

    /// There is no backend any more where a stream could be waited for.
    pub(super) fn left_queue(&mut self, at: Instant) {
        if let Some(wait) = self.detour.as_mut().and_then(|detour| detour.queued.as_mut()) {
            wait.left.get_or_insert(at);
        }
    }

    /// How long the call waited for a stream, in words that follow the reason why it has none; empty if it did not.
    pub(super) fn waited(&self, now: Instant) -> String {
        let Some(wait) = self.detour.as_ref().and_then(|detour| detour.queued.as_ref()) else { return String::new() };
        let time = wait.left.unwrap_or(now) - wait.since;
        format!(", after {} of waiting for a stream on {}", short(time), wait.on)
    }

    /// A stream was opened.
    pub(super) fn sent(&mut self, at: Instant, to: Address) {
        self.sent = Some((at, to));
    }

    /// The stream is over, and the call will be sent again.
    pub(super) fn refused(&mut self, error: &WireError) {
        let obstacle = self.sent.take().map(|(_, address)| format!("{address}: {error}"));
        let detour = self.detour();
        detour.queued = None;
        detour.obstacle = obstacle;
    }

    /// The response's head has come.
    pub(super) fn answered(&mut self, at: Instant) {
        self.answered = Some(at);
    }

    /// There is no backend, or no stream, and this is why.
    pub(super) fn obstructed(&mut self, why: String) {
        self.detour().obstacle = Some(why);
    }

    /// What stood in the way does so no longer.
    pub(super) fn unobstructed(&mut self) {
        if let Some(detour) = &mut self.detour {
            detour.obstacle = None;
        }
    }

    /// When the call began.
    pub(super) fn begun(&self) -> Instant {
        self.begun
    }

    /// DEADLINE_EXCEEDED, and where the time went.
    pub(super) fn deadline_exceeded(&self, now: Instant) -> Status {
        let text = format!("after {}: {}", short(now - self.begun), self.stations(now).join(", "));
        LocalError::DeadlineExceeded.status(Code::DeadlineExceeded, text)
    }

    /// How long the call was at each station.
    fn stations(&self, now: Instant) -> Vec<String> {
        let mut stations = vec![];
        let none = Detour::default();
        let detour = self.detour.as_deref().unwrap_or(&none);
        let mut since = self.begun;
        let mut until = |at: Option<Instant>, doing: fmt::Arguments<'_>| {
            let at = at.unwrap_or(now);
            stations.push(format!("{} {doing}", short(at - since)));
            since = at;
        };
        if detour.asked {
            until(detour.proven, format_args!("waiting for call credentials"));
        }
        if detour.asked && detour.proven.is_none() {
            return stations;
        }
        let sent = self.sent.as_ref().map(|(at, _)| *at);
        let why = |before, after| match &detour.obstacle {
            Some(why) if sent.is_none() => format!("{before}{why}{after}"),
            _ => String::new(),
        };
        match &detour.queued {
            None => until(sent, format_args!("waiting for a READY backend{}", why(" (", ")"))),
            Some(Wait { since, on, left }) => {
                until(Some(*since), format_args!("waiting for a READY backend"));
                let why_full = if left.is_some() { String::new() } else { why(": ", "") };
                until(left.or(sent), format_args!("waiting for a stream on {on}{why_full}"));
                if left.is_some() {
                    until(sent, format_args!("waiting for a READY backend{}", why(" (", ")")));
                }
            }
        }
        let Some((_, address)) = &self.sent else { return stations };
        until(self.answered, format_args!("waiting for response headers from {address}"));
        if self.answered.is_some() {
            until(None, format_args!("reading the response"));
        }
        stations
    }

    /// The status of a broken stream. A server that gives up at our deadline says CANCEL: that is the deadline's doing.
    pub(super) fn broken(&self, error: WireError, deadline: Option<Instant>, now: Instant) -> Status {
        const CANCEL: u32 = 8;
        let late = deadline.is_some_and(|deadline| now >= deadline);
        match &self.sent {
            Some(_) if error.kind == WireErrorKind::DeadlineExceeded => self.deadline_exceeded(now),
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
