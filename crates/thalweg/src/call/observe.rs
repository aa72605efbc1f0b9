//! Tells the trackers of a subchannel how a call on it goes.

use std::{sync::Arc, time::Instant};

use thalweg_core::lb::{CallEnd, Tracker};
use tonic::Code;

use crate::{error::core_code, rt};

/// One call under observation. A call that is dropped before it ended was cancelled.
#[derive(Debug)]
pub(super) struct Observation {
    /// Empty when nobody watches, or when the end was told.
    trackers: Arc<[Tracker]>,
    begun: Instant,
    ended: bool,
}

impl Observation {
    /// The call was sent at `now`.
    pub(super) fn begin(trackers: &Arc<[Tracker]>, now: Instant) -> Self {
        for tracker in &**trackers {
            tracker.start();
        }
        Self { trackers: trackers.clone(), begun: now, ended: trackers.is_empty() }
    }

    /// The call has ended with this code.
    pub(super) fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let latency = rt::now().saturating_duration_since(self.begun);
        for tracker in &*self.trackers {
            tracker.end(&CallEnd { code: core_code(code), latency, load: None });
        }
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}
