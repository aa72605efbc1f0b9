//! The picker of `ring_hash`: A61's walk for a call with a hash, A76's for one without, each in O(log n).

use std::{hash::Hasher, sync::Arc};

use rpds::VectorSync;

use super::{
    places::Places,
    ring::{Ring, hasher},
};
use crate::{
    connectivity::Connectivity,
    lb::{
        picker::{Pick, PickArgs, Picker},
        token::Wake,
    },
    status::{Code, Status},
};

/// Where the hash of a call comes from, if the config selector gave none.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// From this header (A76).
    Header(Arc<str>),
    /// From nowhere: such a call is dropped with this status, for waiting would not help.
    Nowhere(Status),
}

impl Source {
    pub(super) fn new(header: Option<&Arc<str>>) -> Self {
        header.map_or_else(Self::nowhere, |header| Self::Header(header.clone()))
    }

    fn nowhere() -> Self {
        let text = "ring_hash has no hash for this call: its configuration has no requestHashHeader, and the config \
                    selector gave no hash";
        Self::Nowhere(Status::new(Code::Internal, text))
    }
}

/// What a pick sees of an endpoint.
#[derive(Clone, Debug)]
pub(super) enum Face {
    /// Not connected; whom to wake.
    Idle(Wake),
    /// On its way, or not on the ring.
    Waiting,
    /// READY or failed: the leaf's own picker.
    Leaf(Arc<dyn Picker>),
}

/// The places of endpoints by state.
#[derive(Clone, Debug)]
pub(super) struct States {
    /// Of those that have not failed.
    hopeful: Places,
    ready: Places,
    idle: Places,
}

impl States {
    /// A ring of `len` places that belong to nobody yet.
    pub(super) fn of(len: usize) -> Self {
        let none = Places::none(len);
        Self { hopeful: none.clone(), ready: none.clone(), idle: none }
    }

    /// The owner of this place is in this state.
    pub(super) fn put(&mut self, place: usize, state: Connectivity) {
        self.hopeful.put(place, state != Connectivity::TransientFailure);
        self.ready.put(place, state == Connectivity::Ready);
        self.idle.put(place, state == Connectivity::Idle);
    }

    /// The first place of an idle endpoint from this place on.
    pub(super) fn idle(&self, from: usize) -> Option<usize> {
        self.idle.next(from)
    }
}

/// A snapshot of the ring and of those who own it.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) ring: Arc<Ring>,
    pub(super) states: States,
    pub(super) faces: VectorSync<Face>,
    /// Is any endpoint on its way?
    pub(super) connecting: bool,
    /// How many endpoints have failed.
    pub(super) failed: usize,
    pub(super) source: Source,
}

impl Picker for Snapshot {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        match (args.hash, &self.source) {
            (Some(hash), _) => self.by_hash(args, hash),
            (None, Source::Nowhere(status)) => Pick::Drop(status.clone()),
            (None, Source::Header(header)) => match hash_of(args, header) {
                Some(hash) => self.by_hash(args, hash),
                None => self.at_random(args),
            },
        }
    }
}

impl Snapshot {
    /// The first endpoint that has not failed; if it is idle, it wakes (A61).
    fn by_hash(&self, args: &PickArgs<'_>, hash: u64) -> Pick {
        let first = self.ring.place(hash);
        match self.states.hopeful.next(first) {
            Some(place) => self.visit(args, place),
            None => self.all_failed(args, first),
        }
    }

    /// The first READY endpoint from a random place on; unless one is on its way, the first idle one before it wakes
    /// (A76).
    fn at_random(&self, args: &PickArgs<'_>) -> Pick {
        let first = self.ring.place(args.random());
        let ready = self.states.ready.next(first);
        let idle = if self.connecting { None } else { self.states.idle.next(first) };
        let behind = |place: usize| if place < first { place + self.ring.len() } else { place } - first;
        let idle = idle.filter(|idle| ready.is_none_or(|ready| behind(*idle) < behind(ready)));
        let woken = idle.map(|place| self.visit(args, place));
        match ready {
            Some(place) => self.visit(args, place),
            None if self.connecting => Pick::Queue,
            None => woken.unwrap_or_else(|| self.all_failed(args, first)),
        }
    }

    fn visit(&self, args: &PickArgs<'_>, place: usize) -> Pick {
        match self.ring.owner(place).and_then(|owner| self.faces.get(owner)) {
            Some(Face::Leaf(leaf)) => leaf.pick(args),
            Some(Face::Idle(wake)) => {
                args.wake(*wake);
                Pick::Queue
            }
            Some(Face::Waiting) | None => Pick::Queue,
        }
    }

    /// The story of the endpoint that the call belongs to; the others have failed as well.
    fn all_failed(&self, args: &PickArgs<'_>, first: usize) -> Pick {
        match self.visit(args, first) {
            Pick::Fail(failure) => Pick::Fail(failure.and_more(self.failed.saturating_sub(1))),
            verdict @ (Pick::Use(_) | Pick::Queue | Pick::Drop(_)) => verdict,
        }
    }
}

/// The hash of all values of a header, joined by commas; `None` if that is empty (A76).
fn hash_of(args: &PickArgs<'_>, header: &str) -> Option<u64> {
    let (mut hasher, mut values, mut bytes) = (hasher(), 0, 0);
    args.metadata.each_value(header, &mut |value| {
        if values > 0 {
            hasher.write(b",");
        }
        hasher.write(value);
        values += 1;
        bytes += value.len();
    });
    (values > 1 || bytes > 0).then(|| hasher.finish())
}
