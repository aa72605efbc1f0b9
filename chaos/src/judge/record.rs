//! What was seen of a run. All times are since its beginning.

use std::time::Duration;

use crate::schedule::{BACKENDS, Fault};

/// How a call ended.
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
    /// When it was to begin.
    pub(crate) due: Duration,
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

impl Period {
    /// Has it anything in common with that time?
    pub(super) fn meets(&self, from: Duration, to: Duration) -> bool {
        self.from <= to && self.to.is_none_or(|end| from <= end)
    }
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
    /// Bytes that were resident after a third of the run and at its end, without this record.
    pub(crate) resident: Option<(u64, u64)>,
}

impl Record {
    /// How far behind its time the latest call began.
    pub(crate) fn latest(&self) -> Duration {
        self.calls.iter().map(|call| call.begun.saturating_sub(call.due)).max().unwrap_or_default()
    }

    /// What the record itself takes, in bytes.
    pub(crate) fn size(&self) -> u64 {
        (size_of_val(&self.calls[..]) + size_of_val(&self.begun[..])) as u64
    }
}
