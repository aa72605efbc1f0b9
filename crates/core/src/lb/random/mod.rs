//! `random`: calls go to any READY endpoint, each as likely as the others.
//!
//! Beside `round_robin`, clients that start together don't march in step over the same list of backends.

mod config;
mod picker;

use std::sync::Arc;

pub use self::config::Factory;
use self::picker::AnyOf;
use super::{
    cx::Cx,
    dense::Snapshot,
    petiole::{Petiole, Ready, Spread},
    picker::Picker,
};
use crate::endpoint::Endpoint;

/// The policy.
pub type Random = Petiole<AtRandom>;

/// Any READY endpoint, each as likely as the others.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtRandom;

impl Spread for AtRandom {
    type Kept = ();

    fn admit(&mut self, _: &mut Cx<'_>, _: &Endpoint) {}

    fn picker(&mut self, _: &mut Cx<'_>, ready: Snapshot<Ready<()>>) -> Arc<dyn Picker> {
        Arc::new(AnyOf(ready))
    }
}
