//! What must never be seen, whatever happens to the backends.

#[cfg(test)]
mod tests;

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use crate::schedule::{BACKENDS, Fault};

/// A call may find its connection dead so long after the backend is back: what it was sent on was the old one.
const FOUND_DEAD: Duration = Duration::from_millis(100);
/// What the news that a backend is NOT_SERVING may take to reach every picker.
pub(crate) const NEWS: Duration = Duration::from_millis(250);
/// For how long the share of a backend is measured that is well again.
const MEASURED: Duration = Duration::from_secs(1);

/// How a call ended. All times are since the beginning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// It was served.
    Served,
    /// The backend failed it.
    Refused,
    /// It was lost with its connection; in the words of the error.
    Lost(String),
    /// Anything else.
    Other(String),
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) begun: Duration,
    pub(crate) ended: Duration,
    /// Where it was.
    pub(crate) backend: Option<usize>,
    pub(crate) outcome: Outcome,
}

/// A time in which something was wrong with a backend.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub(crate) from: Duration,
    /// Until then; it may not be over.
    pub(crate) to: Option<Duration>,
    pub(crate) fault: Fault,
}

/// All that was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) calls: Vec<Call>,
    /// When handlers began, and on which backend.
    pub(crate) begun: Vec<(Duration, usize)>,
    /// What was wrong with each backend, in order.
    pub(crate) periods: [Vec<Period>; BACKENDS],
    /// When the load ended.
    pub(crate) end: Duration,
}

/// What a policy promises.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise {
    /// The share of a well backend, as a part of a fair one.
    pub(crate) share: f64,
    /// How long a backend that was killed needs to have it again.
    pub(crate) after_kill: Duration,
    /// How long one that was at fault otherwise needs.
    pub(crate) after_fault: Duration,
}

/// What was seen and must not be.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Violation {
    /// A call failed, and not by a fault of its backend.
    Failed { begun: Duration, ended: Duration, backend: Option<usize>, error: String },
    /// A call went to a backend that was known not to serve.
    Unserving { at: Duration, backend: usize, since: Duration },
    /// A backend was well again, and calls kept away.
    Forsaken { backend: usize, well_at: Duration, calls: usize, of: usize },
}

/// All violations.
pub(crate) fn judge(record: &Record, promise: Promise) -> Vec<Violation> {
    let mut violations: Vec<_> = record.calls.iter().filter_map(|call| failed(record, call)).collect();
    violations.extend(record.begun.iter().filter_map(|begun| unserving(record, *begun)));
    for backend in 0..BACKENDS {
        violations.extend(forsaken(record, promise, backend));
    }
    violations
}

/// Was this wrong with the backend at any time of `from..to`, or so shortly before?
fn was(record: &Record, backend: usize, fault: Fault, from: Duration, to: Duration, shortly: Duration) -> bool {
    let met = |period: &&Period| period.from <= to && period.to.is_none_or(|end| from <= end + shortly);
    record.periods[backend].iter().filter(|period| period.fault == fault).any(|period| met(&period))
}

fn failed(record: &Record, call: &Call) -> Option<Violation> {
    let excused = |fault, shortly| {
        call.backend.is_some_and(|backend| was(record, backend, fault, call.begun, call.ended, shortly))
    };
    let error = match &call.outcome {
        Outcome::Served => return None,
        Outcome::Refused if excused(Fault::Failing, Duration::ZERO) => return None,
        Outcome::Refused => "the backend refused it, and was not to",
        Outcome::Lost(_) if excused(Fault::Killed, FOUND_DEAD) => return None,
        Outcome::Lost(error) | Outcome::Other(error) => error,
    };
    Some(Violation::Failed { begun: call.begun, ended: call.ended, backend: call.backend, error: error.to_owned() })
}

fn unserving(record: &Record, (at, backend): (Duration, usize)) -> Option<Violation> {
    let known = |period: &&Period| {
        period.fault == Fault::NotServing && period.from + NEWS < at && period.to.is_none_or(|end| at < end)
    };
    let period = record.periods[backend].iter().find(known)?;
    Some(Violation::Unserving { at, backend, since: period.from })
}

/// Those times after which a backend was well for long enough, and did not have its share.
fn forsaken(record: &Record, promise: Promise, backend: usize) -> impl Iterator<Item = Violation> {
    let periods = &record.periods[backend];
    periods.iter().enumerate().filter_map(move |(place, period)| {
        let well_at = period.to?;
        let needs = if period.fault == Fault::Killed { promise.after_kill } else { promise.after_fault };
        let window = well_at + needs..well_at + needs + MEASURED;
        let next = periods.get(place + 1).map_or(record.end, |next| next.from);
        if next < window.end {
            return None;
        }
        let (mut calls, mut of) = (0, 0);
        for call in record.calls.iter().filter(|call| window.contains(&call.begun)) {
            of += 1;
            calls += usize::from(call.backend == Some(backend));
        }
        let least = promise.share * of as f64 / BACKENDS as f64;
        ((calls as f64) < least).then_some(Violation::Forsaken { backend, well_at, calls, of })
    })
}

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { begun, ended, backend, error } => {
                let backend = backend.map_or("no backend".to_owned(), |backend| format!("backend {backend}"));
                write!(f, "a call of {begun:.3?} to {ended:.3?} on {backend} failed: {error}")
            }
            Self::Unserving { at, backend, since } => {
                write!(f, "at {at:.3?} a call began on backend {backend}, NOT_SERVING since {since:.3?}")
            }
            Self::Forsaken { backend, well_at, calls, of } => {
                write!(f, "backend {backend}, well since {well_at:.3?}, had {calls} of {of} calls")
            }
        }
    }
}
