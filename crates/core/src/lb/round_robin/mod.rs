//! `round_robin` (A61's petiole form): calls go to each READY endpoint in turn.

mod config;
mod picker;

use std::sync::{Arc, atomic::AtomicUsize};

pub use self::config::Factory;
use self::picker::{Rotation, Turn};
use super::{
    cx::Cx,
    dense::Snapshot,
    petiole::{Petiole, Ready, Spread},
    picker::Picker,
};
use crate::endpoint::Endpoint;

/// The policy.
pub type RoundRobin = Petiole<InTurn>;

/// Each READY endpoint in turn, from a random one on.
#[derive(Debug, Default)]
pub struct InTurn {
    /// Starts at random, once.
    turn: Option<Turn>,
}

impl Spread for InTurn {
    type Kept = ();

    fn admit(&mut self, _: &mut Cx<'_>, _: &Endpoint) {}

    fn picker(&mut self, cx: &mut Cx<'_>, ready: Snapshot<Ready<()>>) -> Arc<dyn Picker> {
        let turn = self.turn.get_or_insert_with(|| Arc::new(AtomicUsize::new(cx.random().word() as usize)));
        Arc::new(Rotation { ready, turn: Arc::clone(turn) })
    }
}
