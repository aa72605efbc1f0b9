//! `least_request` (A48): of a few READY endpoints, drawn at random for each call, the one with the fewest calls in flight.

mod config;
mod picker;

use std::sync::Arc;

use self::picker::Drawn;
pub use self::{
    config::{Config, Factory},
    picker::InFlight,
};
use super::{
    cx::{Command, Cx},
    dense::Snapshot,
    event::Resolution,
    petiole::{Petiole, Ready, Spread},
    picker::Picker,
};
use crate::endpoint::Endpoint;

/// The policy.
pub type LeastRequest = Petiole<FewestInFlight>;

/// The fewest calls in flight, among a few endpoints.
///
/// Calls are counted per endpoint, from when they are sent until they end, for as long as the endpoint is listed.
/// Weights are not heeded (A48: "all weights equal").
#[derive(Debug, Default)]
pub struct FewestInFlight {
    config: Config,
}

impl Spread for FewestInFlight {
    type Kept = Arc<InFlight>;

    fn configure(&mut self, _: &mut Cx<'_>, update: &Resolution) {
        if let Some(config) = update.config_as::<Config>() {
            self.config = *config;
        }
    }

    fn admit(&mut self, _: &mut Cx<'_>, _: &Endpoint) -> Self::Kept {
        Arc::default()
    }

    fn see(&mut self, cx: &mut Cx<'_>, kept: &Self::Kept, command: &Command) {
        if let Command::Create { id, .. } = command {
            cx.observe(*id, Arc::clone(kept) as _);
        }
    }

    fn picker(&mut self, _: &mut Cx<'_>, ready: Snapshot<Ready<Self::Kept>>) -> Arc<dyn Picker> {
        Arc::new(Drawn { ready, choices: self.config.choice_count() })
    }
}
