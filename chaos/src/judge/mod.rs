//! What must never be seen, whatever happens to the backends.

mod record;
mod violation;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::schedule::{BACKENDS, Fault};

pub(crate) use record::{Call, Outcome, Period, Record};
pub(crate) use violation::Violation;

/// Calls may be lost with a backend's connection if they began before it was killed, or so soon after. The kernel tells
/// the client at once that a socket on loopback is gone; then the connection, the channel and its policy each take a turn
/// before the next picker is there. That takes less than a millisecond if they get it, and this long if other tasks and
/// processes of a busy machine take theirs first. Whoever began later was sent where nobody was READY.
const FOUND_DEAD: Duration = Duration::from_millis(100);
/// What the news that a backend is NOT_SERVING may take to reach every picker.
pub(crate) const NEWS: Duration = Duration::from_millis(250);
/// How far behind its time a call may begin. With more, this machine was too busy for the other times to mean anything.
const LATE: Duration = Duration::from_millis(250);
/// For how long the share of a backend is measured that is well again.
const MEASURED: Duration = Duration::from_secs(1);
/// If calls keep away from a backend for so long that had some hundred a second, they do it on purpose.
const AWAY: Duration = Duration::from_millis(500);
/// What memory may grow by after the first third of a run, in bytes.
const GROWTH: u64 = 16 << 20;

/// What a policy promises.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise {
    /// The share of a well backend, as a part of a fair one.
    pub(crate) share: f64,
    /// How long a backend that was killed needs to have it again.
    pub(crate) after_kill: Duration,
    /// How long one that was at fault otherwise needs.
    pub(crate) after_fault: Duration,
    /// For how long a backend is called that fails half of its calls, before it is ejected; `None` is for ever.
    pub(crate) ejects: Option<Duration>,
}

/// All violations under a load of so many calls per second.
pub(crate) fn judge(record: &Record, rate: u32, promise: Promise) -> Vec<Violation> {
    let mut violations: Vec<_> = record.calls.iter().filter_map(|call| failed(record, call)).collect();
    violations.extend(record.begun.iter().filter_map(|begun| unserving(record, *begun)));
    for backend in 0..BACKENDS {
        violations.extend(forsaken(record, promise, backend));
        violations.extend(promise.ejects.iter().flat_map(|within| kept(record, promise, *within, backend)));
    }
    violations.extend(idle(record, rate));
    violations.extend(late(record));
    violations.extend(grown(record));
    violations
}

fn failed(record: &Record, call: &Call) -> Option<Violation> {
    let refusing = |period: &Period| period.fault == Fault::Failing && period.meets(call.begun, call.ended);
    let in_flight = |period: &Period| {
        period.fault == Fault::Killed && call.begun <= period.from + FOUND_DEAD && period.from <= call.ended
    };
    let periods = call.backend.map_or(&[][..], |backend| &record.periods[backend]);
    let error = match &call.outcome {
        Outcome::Served => return None,
        Outcome::Refused if periods.iter().any(refusing) => return None,
        Outcome::Refused => "the backend refused it, and was not to",
        Outcome::Lost(_) if periods.iter().any(in_flight) => return None,
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

/// Those times in which a backend failed for long enough to be ejected, and calls never kept away. Policies eject no more
/// than half of the backends: if others may take those places, this one may stay.
fn kept(record: &Record, promise: Promise, within: Duration, backend: usize) -> impl Iterator<Item = Violation> {
    let failing = record.periods[backend].iter().filter(|period| period.fault == Fault::Failing);
    failing.filter_map(move |period| {
        let (since, until) = (period.from, period.to.unwrap_or(record.end));
        let here = record.calls.iter().filter(|call| call.backend == Some(backend));
        let mut begun: Vec<_> = here.map(|call| call.begun).filter(|begun| (since..until).contains(begun)).collect();
        begun.sort_unstable();
        let first = *begun.first()?;
        let crowded = ejectable(record, backend, first.saturating_sub(promise.after_fault), first + within);
        if until < first + within + AWAY || crowded * 2 >= BACKENDS {
            return None;
        }
        begun.push(until);
        let kept = begun.windows(2).all(|pair| pair[1] - pair[0] < AWAY);
        kept.then_some(Violation::Kept { backend, since, until })
    })
}

/// How many other backends may have been ejected at some time of `from..to`.
fn ejectable(record: &Record, but: usize, from: Duration, to: Duration) -> usize {
    let failed = |period: &Period| period.fault == Fault::Failing && period.meets(from, to);
    (0..BACKENDS).filter(|other| *other != but && record.periods[*other].iter().any(failed)).count()
}

fn idle(record: &Record, rate: u32) -> Option<Violation> {
    let due = (f64::from(rate) * record.end.saturating_sub(LATE).as_secs_f64()) as usize;
    let calls = record.calls.len();
    (calls < due).then_some(Violation::Idle { calls, due })
}

fn late(record: &Record) -> Option<Violation> {
    let latest = record.latest();
    (latest > LATE).then_some(Violation::Late { latest })
}

fn grown(record: &Record) -> Option<Violation> {
    let (before, after) = record.resident?;
    let bytes = after.saturating_sub(before);
    (bytes > GROWTH).then_some(Violation::Grown { bytes })
}
