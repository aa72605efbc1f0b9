//! The picker of `least_request`, and the counter that it reads.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::lb::{
    dense::Snapshot,
    petiole::Ready,
    picker::{CallEnd, CallObserver, Pick, PickArgs, Picker},
};

/// The calls in flight to one endpoint.
#[derive(Debug, Default)]
pub struct InFlight(AtomicUsize);

impl CallObserver for InFlight {
    fn start(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn end(&self, _: &CallEnd<'_>) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Draws a few endpoints, one perhaps twice (A48), and takes the first that has the fewest calls in flight.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) ready: Snapshot<Ready<Arc<InFlight>>>,
    pub(super) choices: u32,
}

impl Picker for Drawn {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        let drawn = (0..self.choices).filter_map(|_| self.ready.get(args.place(self.ready.len())));
        let least = drawn.min_by_key(|ready| ready.kept.0.load(Relaxed));
        least.map_or(Pick::Queue, |ready| ready.pick(args))
    }
}
