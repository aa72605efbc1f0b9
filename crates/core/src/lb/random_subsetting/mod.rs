//! `random_subsetting` (A68): gives its child a few of the endpoints, so that many clients of many servers don't all
//! connect to all.

mod subset;

mod config;

use std::sync::Arc;

pub use self::config::{Config, Factory};
use super::{
    LbPolicy,
    cx::Cx,
    event::{AnyConfig, Event, Rejected, Resolution},
    graceful_switch::GracefulSwitch,
    picker::Picker,
};
use crate::status::Status;

/// The policy. Its configuration is a [`Config`].
///
/// It only changes what the resolver has found. Everything else is the child's, its picker included. Which endpoints
/// are chosen depends on a seed, drawn once for each policy, and on each endpoint alone.
#[derive(Debug, Default)]
pub struct RandomSubsetting {
    child: GracefulSwitch,
    seed: Option<u64>,
    /// How many endpoints; 0 before the first configuration.
    size: usize,
}

impl LbPolicy for RandomSubsetting {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let config = update.config_as::<Config>();
        if let Some(config) = config {
            self.size = config.subset_size.get() as usize;
        }
        let seed = *self.seed.get_or_insert_with(|| cx.random().word());
        let endpoints = subset::chosen(&update.endpoints, self.size, seed).into();
        let config = config.map(|config| Arc::clone(&config.child_policy) as Arc<dyn AnyConfig>);
        self.child.on_resolution(cx, &Resolution { endpoints, config })
    }

    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        self.child.on_resolver_error(cx, error);
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        self.child.on_event(cx, event);
    }

    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        self.child.exit_idle(cx);
    }

    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        self.child.picker(cx)
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.child.shutdown(cx);
    }
}

#[cfg(test)]
mod tests;
