//! `ring_hash` (A42, A61, A76): calls with the same hash go to the same endpoint, and when endpoints come and go, most
//! hashes stay where they are.

mod config;
mod picker;
mod seat;

mod places;
mod ring;

use std::{collections::BTreeMap, mem, sync::Arc};

use rpds::VectorSync;

pub use self::{
    config::{Config, Factory},
    ring::LARGEST_RING,
};
use self::{
    picker::{Face, Snapshot, Source, States},
    ring::{Recipe, Ring},
    seat::Seat,
};
use super::{
    LbPolicy,
    child::{ChildSet, Key},
    cx::Cx,
    event::{Event, Rejected, Resolution},
    failure::Failure,
    pick_first,
    picker::{Fixed, Pick, Picker},
    token::Wake,
};
use crate::{
    connectivity::Connectivity,
    endpoint::{Endpoint, EndpointKey},
    status::Status,
};

/// The policy.
///
/// Each endpoint has places on a ring of hashes, in proportion to its [`Weight`], found by its [`HashKey`] or else its
/// first address. A call goes to the endpoint whose place comes next on the ring from the call's hash, or, while that
/// one has failed, to the next that has not. An endpoint connects when a call comes to it.
///
/// The state is READY if any endpoint is; else TRANSIENT_FAILURE if two have failed, or the only one has; else
/// CONNECTING if any connects or has failed; else IDLE (A42). While it is CONNECTING or TRANSIENT_FAILURE there is
/// always an endpoint on its way, if need be one that no call has asked for.
///
/// Endpoints with the same set of addresses are one, with the sum of their weights. Of those that share a hash key but no
/// set of addresses, one serves and the others take over when it fails. With more endpoints than places
/// ([`Config::max_ring_size`], [`Factory::ring_size_cap`]) some have none: they are left alone.
///
/// A pick costs O(log n). An event costs as much as its endpoint has places, and an eighth of a byte for each place to
/// copy. A resolution costs O(n log n), and the ring is made anew only if endpoints, weights, hash keys or sizes have
/// changed.
///
/// [`Weight`]: crate::endpoint::Weight
/// [`HashKey`]: crate::endpoint::HashKey
#[derive(Debug)]
pub struct RingHash {
    sizes: (u32, u32),
    source: Source,
    children: ChildSet,
    /// By number, as in the ring's recipe.
    seats: Vec<Seat>,
    by_child: BTreeMap<Key, usize>,
    by_wake: BTreeMap<Wake, usize>,
    ring: Arc<Ring>,
    states: States,
    faces: VectorSync<Face>,
    /// Are the faces those of an older ring?
    renumbered: bool,
    /// How many endpoints have places.
    seated: usize,
    /// Why there are no endpoints, while there are none.
    nobody: Option<Status>,
}

impl Default for RingHash {
    fn default() -> Self {
        let Config { min_ring_size, max_ring_size, request_hash_header } = Config::default();
        Self {
            sizes: (min_ring_size, max_ring_size),
            source: Source::new(request_hash_header.as_ref()),
            children: ChildSet::default(),
            seats: vec![],
            by_child: BTreeMap::new(),
            by_wake: BTreeMap::new(),
            ring: Arc::default(),
            states: States::of(0),
            faces: VectorSync::new_sync(),
            renumbered: false,
            seated: 0,
            nobody: None,
        }
    }
}

impl RingHash {
    /// A42's rules. An endpoint that nobody has wanted yet is IDLE.
    fn aggregate(&self) -> Connectivity {
        let count = |state| self.children.count(state);
        let failed = count(Connectivity::TransientFailure);
        if count(Connectivity::Ready) > 0 {
            Connectivity::Ready
        } else if failed > 1 {
            Connectivity::TransientFailure
        } else if count(Connectivity::Connecting) > 0 || (failed == 1 && self.seated > 1) {
            Connectivity::Connecting
        } else if failed < self.seated {
            Connectivity::Idle
        } else {
            Connectivity::TransientFailure
        }
    }

    /// While nothing is READY, one endpoint at least is on its way, if it is not IDLE that we are (A61).
    fn settle(&mut self, cx: &mut Cx<'_>) {
        let wanting = matches!(self.aggregate(), Connectivity::Connecting | Connectivity::TransientFailure);
        if wanting && self.children.count(Connectivity::Connecting) == 0 {
            self.rouse_any(cx);
        }
        cx.report(self.aggregate());
    }

    /// Rouses an idle endpoint, if there is one: not the same in every client.
    fn rouse_any(&mut self, cx: &mut Cx<'_>) {
        let from = cx.random().below(self.ring.len() as u64) as usize;
        if let Some(number) = self.states.idle(from).and_then(|place| self.ring.owner(place)) {
            self.rouse(cx, number);
        }
    }

    /// Has an idle endpoint connect.
    fn rouse(&mut self, cx: &mut Cx<'_>, number: usize) {
        let seat = &mut self.seats[number];
        if let Some(child) = seat.child {
            self.children.call(cx, child, |leaf, cx| leaf.exit_idle(cx));
        } else {
            let child = self.children.insert(Box::new(pick_first::leaf()));
            seat.child = Some(child);
            self.by_child.insert(child, number);
            seat.give(cx, &mut self.children);
        }
        self.show_state(number);
    }

    fn state(&self, number: usize) -> Connectivity {
        let child = self.seats.get(number).and_then(|seat| seat.child);
        child.and_then(|child| self.children.state(child)).unwrap_or(Connectivity::Idle)
    }

    /// Marks all places of an endpoint with its state.
    fn show_state(&mut self, number: usize) {
        let state = self.state(number);
        for place in self.ring.places(number) {
            self.states.put(*place as usize, state);
        }
    }

    fn face(&self, number: usize) -> Face {
        let seat = &self.seats[number];
        match (self.state(number), seat.wake, &seat.picker) {
            (Connectivity::Idle, Some(wake), _) => Face::Idle(wake),
            (Connectivity::Ready | Connectivity::TransientFailure, _, Some(picker)) => Face::Leaf(picker.clone()),
            _ => Face::Waiting,
        }
    }

    /// Takes the endpoints of an update; those that stay keep their children.
    fn seat(&mut self, cx: &mut Cx<'_>, endpoints: &[Endpoint]) {
        let mut old: BTreeMap<EndpointKey, Seat> =
            mem::take(&mut self.seats).into_iter().map(|seat| (seat.key.clone(), seat)).collect();
        let mut new: BTreeMap<EndpointKey, Seat> = BTreeMap::new();
        for endpoint in endpoints.iter().filter(|endpoint| !endpoint.addresses().is_empty()) {
            let key = endpoint.key();
            if let Some(twin) = new.get_mut(&key) {
                twin.add_weight(endpoint);
                continue;
            }
            let seat = match old.remove(&key) {
                Some(seat) => seat.renewed(cx, &mut self.children, endpoint),
                None => Seat::new(key.clone(), endpoint),
            };
            new.insert(key, seat);
        }
        for mut gone in old.into_values() {
            gone.vacate(cx, &mut self.children);
        }
        self.seats = new.into_values().collect();
        self.seats.sort_by(|a, b| a.hash_key.cmp(&b.hash_key));
    }

    /// Numbers the endpoints by the ring, which is a new one if it would differ.
    fn number(&mut self, cx: &mut Cx<'_>) {
        let owners = self.seats.iter().map(|seat| (seat.hash_key.clone(), seat.weight)).collect();
        let recipe = Recipe { owners, min: self.sizes.0, max: self.sizes.1 };
        if recipe != *self.ring.recipe() {
            self.ring = Arc::new(Ring::new(recipe));
        }
        let mut seats = mem::take(&mut self.seats);
        self.seated = 0;
        for (number, seat) in seats.iter_mut().enumerate() {
            if self.ring.places(number).is_empty() {
                seat.vacate(cx, &mut self.children);
            } else {
                self.seated += 1;
                seat.wake.get_or_insert_with(|| cx.offer());
            }
        }
        let numbered = || seats.iter().enumerate();
        self.by_child = numbered().filter_map(|(number, seat)| Some((seat.child?, number))).collect();
        self.by_wake = numbered().filter_map(|(number, seat)| Some((seat.wake?, number))).collect();
        self.seats = seats;
        self.states = States::of(self.ring.len());
        (0..self.seats.len()).for_each(|number| self.show_state(number));
        self.renumbered = true;
    }
}

impl LbPolicy for RingHash {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        if let Some(config) = update.config_as::<Config>() {
            self.sizes = (config.min_ring_size, config.max_ring_size);
            self.source = Source::new(config.request_hash_header.as_ref());
        }
        self.seat(cx, &update.endpoints);
        self.number(cx);
        let empty = self.seats.is_empty();
        self.nobody = empty.then(|| Status::unavailable("the resolver returned no addresses"));
        self.settle(cx);
        if empty { Err(Rejected) } else { Ok(()) }
    }

    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        if self.seats.is_empty() {
            self.nobody = Some(error.clone());
            cx.report(Connectivity::TransientFailure);
        }
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        if let Event::Wake(wake) = event
            && let Some(number) = self.by_wake.get(wake).copied()
        {
            // Several calls may have seen it idle.
            if self.state(number) == Connectivity::Idle {
                self.rouse(cx, number);
                self.settle(cx);
            }
        } else if let Some(report) = self.children.route(cx, event) {
            if let Some(number) = self.by_child.get(&report.child) {
                self.show_state(*number);
            }
            self.settle(cx);
        }
    }

    /// Any endpoint will do.
    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        if !self.seats.is_empty() && self.aggregate() == Connectivity::Idle {
            self.rouse_any(cx);
            self.settle(cx);
        }
    }

    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        for child in self.children.take_stale() {
            let Some(number) = self.by_child.get(&child).copied() else { continue };
            self.seats[number].picker = self.children.picker(cx, child);
            if !self.renumbered {
                self.faces.set_mut(number, self.face(number));
            }
        }
        if mem::take(&mut self.renumbered) {
            self.faces = (0..self.seats.len()).map(|number| self.face(number)).collect();
        }
        if let Some(status) = &self.nobody {
            return Arc::new(Fixed::new(Pick::Fail(Failure::Status(status.clone()))));
        }
        Arc::new(Snapshot {
            ring: self.ring.clone(),
            states: self.states.clone(),
            faces: self.faces.clone(),
            connecting: self.children.count(Connectivity::Connecting) > 0,
            failed: self.children.count(Connectivity::TransientFailure),
            source: self.source.clone(),
        })
    }

    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        for mut seat in mem::take(&mut self.seats) {
            seat.vacate(cx, &mut self.children);
        }
    }
}
