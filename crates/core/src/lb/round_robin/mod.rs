//! `round_robin` (A61's petiole form): a `pick_first` leaf per endpoint, and calls that go to each READY one in turn.

mod config;
mod picker;

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, atomic::AtomicUsize},
};

pub use self::config::Factory;
use self::picker::{AllFailed, Rotation, Turn};
use super::{
    LbPolicy,
    child::{ChildSet, Key, Report},
    cx::Cx,
    dense::Dense,
    event::{Event, Rejected, Resolution},
    failure::Failure,
    pick_first,
    picker::{Fixed, Pick, Picker},
};
use crate::{
    connectivity::Connectivity,
    endpoint::{Endpoint, EndpointKey},
    status::Status,
};

/// The policy.
///
/// READY if any endpoint is, else CONNECTING if any is, else TRANSIENT_FAILURE. Endpoints connect at once and again
/// whenever their connection ends, so it is never IDLE. An event costs O(log n).
#[derive(Debug, Default)]
pub struct RoundRobin {
    children: ChildSet,
    by_endpoint: BTreeMap<EndpointKey, Key>,
    ready: Dense<Key, Arc<dyn Picker>>,
    failed: Dense<Key, Arc<dyn Picker>>,
    /// Starts at random, once.
    turn: Option<Turn>,
    /// Why there are no children, while there are none.
    nobody: Option<Status>,
    /// The last report.
    state: Option<Connectivity>,
}

impl RoundRobin {
    fn aggregate(&self) -> Connectivity {
        let any = |state| self.children.count(state) > 0;
        if any(Connectivity::Ready) {
            Connectivity::Ready
        } else if any(Connectivity::Connecting) || any(Connectivity::Idle) {
            Connectivity::Connecting
        } else {
            Connectivity::TransientFailure
        }
    }

    fn report(&mut self, cx: &mut Cx<'_>) {
        let state = self.aggregate();
        self.state = Some(state);
        cx.report(state);
    }

    /// An idle child connects again. We report what a picker would show.
    fn react(&mut self, cx: &mut Cx<'_>, report: Report) {
        if report.to == Connectivity::Idle {
            self.children.call(cx, report.child, |leaf, cx| leaf.exit_idle(cx));
        }
        let state = self.aggregate();
        let shown = match state {
            Connectivity::Ready => [report.from, report.to].contains(&Connectivity::Ready),
            Connectivity::TransientFailure => true,
            Connectivity::Idle | Connectivity::Connecting | Connectivity::Shutdown => false,
        };
        if shown || self.state != Some(state) {
            self.report(cx);
        }
    }

    /// Gives an endpoint to its child, old or new.
    fn seat(&mut self, cx: &mut Cx<'_>, endpoint: &Endpoint, old: Option<Key>) -> Key {
        let child = old.unwrap_or_else(|| self.children.insert(Box::new(pick_first::leaf())));
        let update = Resolution { endpoints: Arc::new([endpoint.clone()]), config: None };
        self.children.call(cx, child, |leaf, cx| {
            // An endpoint with an address is never rejected.
            let _ = leaf.on_resolution(cx, &update);
        });
        child
    }

    /// Renews what the pickers show of one child.
    fn refresh(&mut self, cx: &mut Cx<'_>, key: Key) {
        let state = self.children.state(key);
        for (shown, set) in [(Connectivity::Ready, &mut self.ready), (Connectivity::TransientFailure, &mut self.failed)]
        {
            if state != Some(shown) {
                set.remove(key);
            } else if let Some(picker) = self.children.picker(cx, key) {
                set.insert(key, picker);
            }
        }
    }
}

impl LbPolicy for RoundRobin {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        let mut old = mem::take(&mut self.by_endpoint);
        for endpoint in update.endpoints.iter().filter(|endpoint| !endpoint.addresses().is_empty()) {
            let key = endpoint.key();
            if !self.by_endpoint.contains_key(&key) {
                let child = self.seat(cx, endpoint, old.remove(&key));
                self.by_endpoint.insert(key, child);
            }
        }
        for child in old.into_values() {
            self.children.remove(cx, child);
        }
        let empty = self.children.is_empty();
        self.nobody = empty.then(|| Status::unavailable("the resolver returned no addresses"));
        self.report(cx);
        if empty { Err(Rejected) } else { Ok(()) }
    }

    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        if self.children.is_empty() {
            self.nobody = Some(error.clone());
            self.report(cx);
        }
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        if let Some(report) = self.children.route(cx, event) {
            self.react(cx, report);
        }
    }

    fn exit_idle(&mut self, _: &mut Cx<'_>) {}

    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        for key in self.children.take_stale() {
            self.refresh(cx, key);
        }
        match (self.state, &self.nobody) {
            (_, Some(status)) => Arc::new(Fixed::new(Pick::Fail(Failure::Status(status.clone())))),
            (Some(Connectivity::Ready), _) => {
                let turn = self.turn.get_or_insert_with(|| Arc::new(AtomicUsize::new(cx.random().word() as usize)));
                Arc::new(Rotation { ready: self.ready.snapshot(), turn: Arc::clone(turn) })
            }
            (Some(Connectivity::TransientFailure), _) => Arc::new(AllFailed(self.failed.snapshot())),
            _ => Arc::new(Fixed::new(Pick::Queue)),
        }
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.children.clear(cx);
    }
}
