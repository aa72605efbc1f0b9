//! Tells the trackers of a subchannel how a call on it goes.

use std::{sync::Arc, time::Instant};

use thalweg_core::{
    lb::{CallEnd, Tracker},
    metadata::{Metadata, NoMetadata},
};
use tonic::Code;

use crate::{
    error::core_code,
    panics::{Contained, caught},
    rt,
};

/// One call under observation, from its pick on. A call that is dropped before it ended was cancelled.
#[derive(Debug)]
pub(super) struct Observation {
    /// `None` when nobody watches, or when the end was told.
    trackers: Option<Arc<[Contained<Tracker>]>>,
    begun: Instant,
}

impl Observation {
    /// The call was picked at `now`.
    pub(super) fn begin(trackers: &Arc<[Contained<Tracker>]>, now: Instant) -> Self {
        for tracker in &**trackers {
            undisturbed(|| tracker.start());
        }
        Self { trackers: (!trackers.is_empty()).then(|| trackers.clone()), begun: now }
    }

    /// The call, which was sent, has ended with this code and these trailers.
    pub(super) fn end(&mut self, code: Code, trailers: &dyn Metadata) {
        self.tell(code, trailers, true);
    }

    /// The call has ended with this code, or goes elsewhere, before it was sent.
    pub(super) fn give_up(&mut self, code: Code) {
        self.tell(code, &NoMetadata, false);
    }

    fn tell(&mut self, code: Code, trailers: &dyn Metadata, sent: bool) {
        let Some(trackers) = self.trackers.take() else { return };
        let at = rt::now();
        let latency = at.saturating_duration_since(self.begun);
        for tracker in &*trackers {
            undisturbed(|| tracker.end(&CallEnd { sent, trailers, ..CallEnd::new(core_code(code), at, latency) }));
        }
    }
}

/// A tracker that panics does the call no harm.
fn undisturbed(tell: impl FnOnce()) {
    if let Err(panic) = caught(tell) {
        tracing::error!(%panic, "an observer of calls panicked");
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        self.end(Code::Cancelled, &NoMetadata);
    }
}
