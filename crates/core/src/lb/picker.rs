//! The data half of a policy: what a call may ask of a snapshot, and what a call tells back.

use std::{
    cell::Cell,
    fmt::{self, Debug},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    failure::Failure,
    token::{SubchannelId, Wake},
};
use crate::{
    metadata::{Metadata, NoMetadata},
    orca::LoadReport,
    random::{mix, scale},
    status::{Code, Status},
};

/// What is known about the call. Lives on the caller's stack.
pub struct PickArgs<'a> {
    /// The full method, as in the request path: `/package.Service/Method`.
    pub method: &'a str,
    /// The request metadata.
    pub metadata: &'a dyn Metadata,
    /// The request hash, if the config selector gave one (A42).
    pub hash: Option<u64>,
    /// When the call must end, if it has a deadline.
    pub deadline: Option<Instant>,
    /// The time of the pick.
    pub now: Instant,
    random: Cell<u64>,
    wake: Cell<Option<Wake>>,
}

impl<'a> PickArgs<'a> {
    /// The arguments of a call to `method` at `now`, with no metadata, hash or deadline; `seed` starts its randomness.
    #[must_use]
    pub fn new(method: &'a str, now: Instant, seed: u64) -> Self {
        Self {
            method,
            metadata: &NoMetadata,
            hash: None,
            deadline: None,
            now,
            random: Cell::new(seed),
            wake: Cell::new(None),
        }
    }

    /// A fresh random word.
    #[must_use]
    pub fn random(&self) -> u64 {
        let state = self.random.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.random.set(state);
        mix(state)
    }

    /// A fresh random place among `count` (0 when `count` is 0), each as likely as the others.
    #[must_use]
    pub fn place(&self, count: usize) -> usize {
        scale(self.random(), count as u64) as usize
    }

    /// Asks the control half to wake a policy. Independent of the verdict: A76's picker uses a READY endpoint *and*
    /// wakes an idle one.
    pub fn wake(&self, wake: Wake) {
        self.wake.set(Some(wake));
    }

    /// For the channel, after the pick: whom to wake.
    #[must_use]
    pub fn wanted(&self) -> Option<Wake> {
        self.wake.get()
    }
}

impl Debug for PickArgs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PickArgs").field("method", &self.method).field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// The verdict on one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Send it here.
    Use(SubchannelId),
    /// Wait for the next snapshot.
    Queue,
    /// Fail the call, unless it waits for ready (then: `Queue`).
    Fail(Failure),
    /// Fail the call even if it waits for ready, and never retry it.
    Drop(Status),
}

/// An immutable snapshot of a policy, shared by every call in flight. Never blocks; state that picks change is atomics.
pub trait Picker: Send + Sync + Debug {
    /// Where this call goes.
    fn pick(&self, args: &PickArgs<'_>) -> Pick;
}

/// Always the same verdict, perhaps waking the policy that gave it.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The verdict.
    pub pick: Pick,
    /// Whom each pick wakes.
    pub wake: Option<Wake>,
}

impl Fixed {
    /// A picker that always answers `pick` and wakes nobody.
    #[must_use]
    pub fn new(pick: Pick) -> Self {
        Self { pick, wake: None }
    }
}

impl Picker for Fixed {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        if let Some(wake) = self.wake {
            args.wake(wake);
        }
        self.pick.clone()
    }
}

/// How a call on a subchannel ended.
#[derive(Clone, Copy)]
pub struct CallEnd<'a> {
    /// The status code that the caller sees of this attempt.
    pub code: Code,
    /// When it ended.
    pub at: Instant,
    /// From the pick to the end.
    pub latency: Duration,
    /// Did it get there? One that did not was given up, or went elsewhere, while it waited for a stream (A105): that tells
    /// nothing of how the subchannel answers.
    pub sent: bool,
    /// The load report of the call (A51). The channel does not read reports yet, so from it this is always `None`; only
    /// `thalweg-sim` gives what a test says.
    pub load: Option<&'a LoadReport>,
    /// The trailers, if the server sent any before the call ended.
    pub trailers: &'a dyn Metadata,
}

impl CallEnd<'_> {
    /// The end of a call that was sent, without a load report and trailers.
    #[must_use]
    pub fn new(code: Code, at: Instant, latency: Duration) -> Self {
        Self { code, at, latency, sent: true, load: None, trailers: &NoMetadata }
    }
}

impl Debug for CallEnd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut end = f.debug_struct("CallEnd");
        end.field("code", &self.code).field("at", &self.at).field("latency", &self.latency).field("sent", &self.sent);
        end.field("load", &self.load).finish_non_exhaustive()
    }
}

/// Sees every call on a subchannel, from the data path: atomics only.
///
/// Bound once, by [`Cx::observe`](super::Cx::observe), so a pick allocates and clones nothing.
pub trait CallObserver: Send + Sync + Debug {
    /// A call was picked for the subchannel: it is sent there, or waits there until it can be (A105).
    fn start(&self) {}
    /// A call that had started ended, or went elsewhere. Told once for each start.
    fn end(&self, end: &CallEnd<'_>);
}

/// A shared call observer.
pub type Tracker = Arc<dyn CallObserver>;
