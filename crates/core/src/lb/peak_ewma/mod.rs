//! `peak_ewma`: of two READY endpoints, drawn at random for each call, the one where it is likely to be done sooner.
//!
//! What an endpoint costs is its latency times the calls it would then have in flight, this one included. The latency is
//! an estimate, as in Finagle and tower: a moving average over time, with weights that fall by `e^(-t/decay)`, except
//! that a latency above the estimate is taken at once. So a backend that becomes slow is noticed by one call, and
//! trusted again little by little.
//!
//! * **Silence.** The longer no call went to an endpoint or ended there, the less its estimate counts, by the same
//!   `e^(-t/decay)`. So a slow one is tried again, by one call: with that the estimate counts in full again.
//! * **Failures.** A call that fails may be fast. It enters the average as if it had taken `failurePenalty`, with the weight
//!   that its share of the time gives it. One failure among many calls moves the estimate a little, a backend that does
//!   nothing but fail soon costs more than any that works. These codes are failures: UNKNOWN, DEADLINE_EXCEEDED,
//!   RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. All others but CANCELLED are answers.
//! * **Cancelled calls** took at least as long as they did: they count if that is above the estimate, else not.
//! * **A new connection** begins anew, with `defaultRtt`.
//!
//! Latency is the time from the pick to the end of the call: of a stream that is how long it lives. Where calls are long
//! streams, `least_request` is the better choice.

mod config;
mod picker;

mod estimate;

use std::sync::Arc;

pub use self::{
    config::{Config, Factory},
    estimate::Meter,
};
use self::{estimate::Tuning, picker::TwoChoices};
use super::{
    cx::{Command, Cx},
    dense::Snapshot,
    event::Resolution,
    petiole::{Petiole, Ready, Spread},
    picker::Picker,
};
use crate::endpoint::Endpoint;

/// The policy.
pub type PeakEwma = Petiole<Cheaper>;

/// The cheaper of two READY endpoints.
#[derive(Debug, Default)]
pub struct Cheaper {
    config: Config,
    /// Made when time is first told; all meters share it.
    tuning: Option<Arc<Tuning>>,
}

impl Cheaper {
    fn tuning(&mut self, cx: &Cx<'_>) -> &Arc<Tuning> {
        let config = &self.config;
        self.tuning.get_or_insert_with(|| Arc::new(Tuning::new(cx.now(), config)))
    }
}

impl Spread for Cheaper {
    type Kept = Arc<Meter>;

    fn configure(&mut self, cx: &mut Cx<'_>, update: &Resolution) {
        if let Some(config) = update.config_as::<Config>() {
            self.config = *config;
            self.tuning(cx).set(config);
        }
    }

    fn admit(&mut self, cx: &mut Cx<'_>, _: &Endpoint) -> Self::Kept {
        Arc::new(Meter::new(Arc::clone(self.tuning(cx)), cx.now()))
    }

    fn see(&mut self, cx: &mut Cx<'_>, kept: &Self::Kept, command: &Command) {
        match command {
            Command::Create { id, .. } => {
                cx.observe(*id, Arc::clone(kept) as _);
            }
            Command::Connect(_) => kept.begin_anew(cx.now()),
            _ => {}
        }
    }

    fn picker(&mut self, cx: &mut Cx<'_>, ready: Snapshot<Ready<Self::Kept>>) -> Arc<dyn Picker> {
        Arc::new(TwoChoices { ready, tuning: Arc::clone(self.tuning(cx)) })
    }
}

#[cfg(test)]
mod tests;
