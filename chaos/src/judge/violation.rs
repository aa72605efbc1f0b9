//! What must not be seen, and how it is told.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

/// What was seen and must not be.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Violation {
    /// A call failed, and not by a fault of its backend.
    Failed { begun: Duration, ended: Duration, backend: Option<usize>, error: String },
    /// A call went to a backend that was known not to serve.
    Unserving { at: Duration, backend: usize, since: Duration },
    /// A backend was well again, and calls kept away.
    Forsaken { backend: usize, well_at: Duration, calls: usize, of: usize },
    /// A backend failed half of its calls, and they kept coming.
    Kept { backend: usize, since: Duration, until: Duration },
    /// There was less load than promised.
    Idle { calls: usize, due: usize },
    /// The load came too late to mean anything.
    Late { latest: Duration },
    /// Memory grew by so many bytes after the first third.
    Grown { bytes: u64 },
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
            Self::Kept { backend, since, until } => {
                write!(
                    f,
                    "backend {backend} failed half of its calls from {since:.3?} to {until:.3?}, and was not ejected"
                )
            }
            Self::Idle { calls, due } => write!(f, "{calls} calls were made, and {due} were due"),
            Self::Late { latest } => write!(f, "a call began {latest:.1?} late: this machine is too busy to tell"),
            Self::Grown { bytes } => write!(f, "memory grew by {} KiB after the first third", bytes >> 10),
        }
    }
}
