//! Counts how the calls of an endpoint end, from the data path.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{
    lb::picker::{CallEnd, CallObserver},
    status::Code,
};

/// Counts the calls of one endpoint, whichever of its addresses they went to.
#[derive(Debug, Default)]
pub(super) struct Counter {
    succeeded: AtomicU64,
    failed: AtomicU64,
}

impl Counter {
    /// What was counted since the last time, and begins anew.
    pub(super) fn take(&self) -> Calls {
        Calls { succeeded: self.succeeded.swap(0, Relaxed), failed: self.failed.swap(0, Relaxed) }
    }
}

impl CallObserver for Counter {
    fn end(&self, end: &CallEnd<'_>) {
        if !end.sent {
            return;
        }
        let count = if end.code == Code::Ok { &self.succeeded } else { &self.failed };
        count.fetch_add(1, Relaxed);
    }
}

/// The calls of one endpoint that ended within an interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Calls {
    /// With OK.
    pub(super) succeeded: u64,
    /// With anything else.
    pub(super) failed: u64,
}

impl Calls {
    /// All of them.
    pub(super) fn total(self) -> u64 {
        self.succeeded.saturating_add(self.failed)
    }

    /// The share that succeeded, 0 to 1, if there are at least `volume` calls, and any at all.
    pub(super) fn success_rate(self, volume: u32) -> Option<f64> {
        let enough = self.total() >= u64::from(volume.max(1));
        enough.then(|| self.succeeded as f64 / self.total() as f64)
    }

    /// The share that failed, in percent, on the same condition.
    pub(super) fn failure_percentage(self, volume: u32) -> Option<f64> {
        let swapped = Self { succeeded: self.failed, failed: self.succeeded };
        swapped.success_rate(volume).map(|rate| rate * 100.0)
    }
}
