//! Petiole policies (A61), all but the part in which they differ: a [`pick_first`] leaf per endpoint, and which of the
//! READY ones a call goes to.
//!
//! A [`Petiole`] is a policy. It owns the leaves, gives each its endpoint, lets the idle ones connect again, adds their
//! states up and tells one story of all failures. What it leaves open is a [`Spread`]: what is kept of each endpoint (a
//! counter, a weight, nothing), who observes its calls, and a picker over those that are READY. `round_robin` and its
//! like are spreads; yours may be one too:
//!
//! ```
//! use std::sync::Arc;
//! use thalweg_core::{
//!     endpoint::Endpoint,
//!     lb::{
//!         Cx, Pick, PickArgs, Picker,
//!         dense::Snapshot,
//!         petiole::{Petiole, Ready, Spread},
//!     },
//! };
//!
//! /// Calls that have the same method go to the same endpoint.
//! #[derive(Debug, Default)]
//! struct ByMethod;
//!
//! #[derive(Debug)]
//! struct MethodPicker(Snapshot<Ready<()>>);
//!
//! impl Picker for MethodPicker {
//!     fn pick(&self, args: &PickArgs<'_>) -> Pick {
//!         let hash = args.method.bytes().fold(0, |hash: usize, byte| hash.wrapping_mul(31) + usize::from(byte));
//!         self.0.get(hash % self.0.len()).map_or(Pick::Queue, |ready| ready.pick(args))
//!     }
//! }
//!
//! impl Spread for ByMethod {
//!     type Kept = ();
//!     fn admit(&mut self, _: &mut Cx<'_>, _: &Endpoint) {}
//!     fn picker(&mut self, _: &mut Cx<'_>, ready: Snapshot<Ready<()>>) -> Arc<dyn Picker> {
//!         Arc::new(MethodPicker(ready))
//!     }
//! }
//!
//! let policy = Petiole::<ByMethod>::default();
//! # let _ = policy;
//! ```

mod leaves;

mod picker;

use std::{collections::BTreeMap, fmt::Debug, mem, sync::Arc};

use self::leaves::Leaves;
pub use self::picker::Ready;
use super::{
    LbPolicy,
    all_failed::AllFailed,
    child::{ChildSet, Key, Report},
    cx::{Command, Cx},
    dense::{Dense, Snapshot},
    event::{Event, Rejected, Resolution},
    failure::Failure,
    pick_first,
    picker::{Fixed, Pick, PickArgs, Picker},
    token::SubchannelId,
};
use crate::{
    connectivity::Connectivity,
    endpoint::{Endpoint, EndpointKey},
    status::Status,
};

/// What makes a petiole policy the one it is: what it keeps of each endpoint, and how calls are spread over those that
/// are READY.
pub trait Spread: Send + Debug + 'static {
    /// What is kept of an endpoint for as long as it is listed, READY or not. Pickers have it beside the endpoint's
    /// leaf and trackers may share it, so it is cheap to clone: `()`, a number, an `Arc` of atomics.
    type Kept: Clone + Debug + Send + Sync + 'static;

    /// A resolution has come; its endpoints will be admitted next. Here a policy takes its configuration.
    fn configure(&mut self, _: &mut Cx<'_>, _: &Resolution) {}

    /// An endpoint is new in the list: what is kept of it?
    fn admit(&mut self, cx: &mut Cx<'_>, endpoint: &Endpoint) -> Self::Kept;

    /// A listed endpoint is listed again, perhaps with other attributes: is something else kept of it from now on?
    fn readmit(&mut self, _: &Endpoint, _: &Self::Kept) -> Option<Self::Kept> {
        None
    }

    /// The leaf of the endpoint that `kept` is of commanded this: it created, connected or shut down a subchannel. What
    /// is added to `cx` goes right behind it. Here a policy observes subchannels ([`Cx::observe`], [`Cx::watch_load`]);
    /// a watch ends with its subchannel.
    fn see(&mut self, _: &mut Cx<'_>, _kept: &Self::Kept, _: &Command) {}

    /// An event that is no leaf's: for a token that the spread itself asked for, or a late one. Says whether the last
    /// picker is stale now.
    fn on_event(&mut self, _: &mut Cx<'_>, _: &Event) -> bool {
        false
    }

    /// The picker over the READY endpoints, of which there is at least one. They are in no order.
    fn picker(&mut self, cx: &mut Cx<'_>, ready: Snapshot<Ready<Self::Kept>>) -> Arc<dyn Picker>;

    /// Gives back the tokens that the spread itself asked for, but for watches, whose subchannels are gone.
    fn shutdown(&mut self, _: &mut Cx<'_>) {}
}

/// A policy over leaves that spreads calls as `S` says.
///
/// READY if any endpoint is, else CONNECTING if any is, else TRANSIENT_FAILURE. Endpoints connect at once and again
/// whenever their connection ends, so it is never IDLE. Endpoints with the same set of addresses are one (A61), those
/// without addresses are none. An event costs O(log n).
#[derive(Debug)]
pub struct Petiole<S: Spread> {
    children: ChildSet<Leaves<S>>,
    by_endpoint: BTreeMap<EndpointKey, Seat>,
    ready: Dense<Key, Ready<S::Kept>>,
    failed: Dense<Key, Arc<dyn Picker>>,
    /// Why there are no children, while there are none.
    nobody: Option<Status>,
    /// The last report.
    state: Option<Connectivity>,
}

/// An endpoint, as it was listed last, and its leaf.
#[derive(Debug)]
struct Seat {
    endpoint: Endpoint,
    child: Key,
}

impl<S: Spread + Default> Default for Petiole<S> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

impl<S: Spread> Petiole<S> {
    /// A policy that spreads calls like this.
    #[must_use]
    pub fn new(spread: S) -> Self {
        Self {
            children: ChildSet::tapped(Leaves::new(spread)),
            by_endpoint: BTreeMap::new(),
            ready: Dense::default(),
            failed: Dense::default(),
            nobody: None,
            state: None,
        }
    }

    fn spread(&mut self) -> &mut S {
        self.children.tap_mut().spread()
    }

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

    /// Gives an endpoint to its child, old or new. A leaf need not hear of what it knows.
    fn seat(&mut self, cx: &mut Cx<'_>, endpoint: &Endpoint, old: Option<Seat>) -> Seat {
        let (child, known) = match old {
            Some(old) => (self.readmit(endpoint, old.child), endpoint.is_same(&old.endpoint)),
            None => (self.admit(cx, endpoint), false),
        };
        if !known {
            let update = Resolution { endpoints: Arc::new([endpoint.clone()]), config: None };
            self.children.call(cx, child, |leaf, cx| {
                // An endpoint with an address is never rejected.
                let _ = leaf.on_resolution(cx, &update);
            });
        }
        Seat { endpoint: endpoint.clone(), child }
    }

    fn admit(&mut self, cx: &mut Cx<'_>, endpoint: &Endpoint) -> Key {
        let kept = self.spread().admit(cx, endpoint);
        let child = self.children.insert(Box::new(pick_first::leaf()));
        self.children.tap_mut().keep(child, kept);
        child
    }

    fn readmit(&mut self, endpoint: &Endpoint, child: Key) -> Key {
        if let Some(kept) = self.children.tap_mut().readmit(endpoint, child)
            && let Some(ready) = self.ready.get(&child).cloned()
        {
            self.ready.insert(child, Ready { kept, ..ready });
        }
        child
    }

    fn dismiss(&mut self, cx: &mut Cx<'_>, child: Key) {
        self.children.remove(cx, child);
        self.children.tap_mut().forget(child);
    }

    /// Where a leaf that is READY sends calls: all of them to the same connection, so it is asked once for all.
    fn connection(&mut self, cx: &mut Cx<'_>, key: Key) -> Option<SubchannelId> {
        match self.children.picker(cx, key)?.pick(&PickArgs::new("", cx.now(), 0)) {
            Pick::Use(id) => Some(id),
            Pick::Queue | Pick::Fail(_) | Pick::Drop(_) => None,
        }
    }

    /// Renews what the pickers show of one child.
    fn refresh(&mut self, cx: &mut Cx<'_>, key: Key) {
        let state = self.children.state(key);
        if state != Some(Connectivity::Ready) {
            self.ready.remove(key);
        }
        if state != Some(Connectivity::TransientFailure) {
            self.failed.remove(key);
        }
        match state {
            Some(Connectivity::Ready) => {
                if let Some(subchannel) = self.connection(cx, key)
                    && let Some(kept) = self.children.tap().kept(key).cloned()
                {
                    self.ready.insert(key, Ready { kept, subchannel });
                }
            }
            Some(Connectivity::TransientFailure) => {
                if let Some(leaf) = self.children.picker(cx, key) {
                    self.failed.insert(key, leaf);
                }
            }
            _ => {}
        }
    }
}

impl<S: Spread> LbPolicy for Petiole<S> {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        self.spread().configure(cx, update);
        let mut old = mem::take(&mut self.by_endpoint);
        for endpoint in update.endpoints.iter().filter(|endpoint| !endpoint.addresses().is_empty()) {
            let key = endpoint.key();
            if !self.by_endpoint.contains_key(&key) {
                let seat = self.seat(cx, endpoint, old.remove(&key));
                self.by_endpoint.insert(key, seat);
            }
        }
        for seat in old.into_values() {
            self.dismiss(cx, seat.child);
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
        if self.children.owner(event.token()).is_none() {
            if self.spread().on_event(cx, event) && self.state == Some(Connectivity::Ready) {
                self.report(cx);
            }
        } else if let Some(report) = self.children.route(cx, event) {
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
                let ready = self.ready.snapshot();
                self.spread().picker(cx, ready)
            }
            (Some(Connectivity::TransientFailure), _) => Arc::new(AllFailed(self.failed.snapshot())),
            _ => Arc::new(Fixed::new(Pick::Queue)),
        }
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.children.clear(cx);
        self.spread().shutdown(cx);
    }
}
