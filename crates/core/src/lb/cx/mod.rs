//! What a policy may see and ask for during one event.

#[cfg(test)]
mod tests;

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    picker::Tracker,
    token::{SubchannelId, Timer, Wake, Watch},
};
use crate::{
    connectivity::Connectivity,
    deadline,
    endpoint::{Address, Endpoint},
    random::Random,
};

/// The whole vocabulary by which a policy acts on the world. Built by [`Cx`], carried out by the channel.
#[derive(Clone, Debug)]
pub enum Command {
    /// Make a subchannel, `Idle`, for one address of an endpoint.
    Create {
        /// Its name from now on.
        id: SubchannelId,
        /// Where it connects to.
        address: Address,
        /// The endpoint that the address belongs to, with its attributes.
        endpoint: Endpoint,
    },
    /// Start an attempt. Only while the subchannel is `Idle`.
    Connect(SubchannelId),
    /// Calls that wait for a stream there (A105) ask the next picker; those that were sent stay.
    Divert(SubchannelId),
    /// Calls in flight finish, then it closes. Ends every watch on it too, whoever holds them.
    Shutdown(SubchannelId),
    /// Fire at this time.
    Arm {
        /// What fires.
        timer: Timer,
        /// When.
        at: Instant,
    },
    /// Forget a timer that has not fired.
    Cancel(Timer),
    /// A picker may hand this wake out from now on.
    Offer(Wake),
    /// This wake wakes nobody any more.
    Withdraw(Wake),
    /// Calls go straight to the tracker, on the data path; no event.
    Observe {
        /// The subscription.
        watch: Watch,
        /// Who is told of every call.
        tracker: Tracker,
    },
    /// Answer with the subchannel's health, now and whenever it changes.
    WatchHealth(Watch),
    /// The channel asks the server for the shortest interval among the live watches of a subchannel, and answers each.
    WatchLoad {
        /// The subscription.
        watch: Watch,
        /// How often this watcher wants to hear.
        every: Duration,
    },
    /// End this subscription.
    Unwatch(Watch),
    /// Ask the resolver again; it decides when.
    Resolve,
}

/// How many mints there were. It only keeps their names apart: nothing is decided by it.
static MINTS: AtomicU32 = AtomicU32::new(0);

/// Gives out tokens and randomness: one per channel, so that a run is a function of its seed and its events.
///
/// No two mints name a subchannel alike, so that a subchannel of another channel is never taken for one's own.
#[derive(Debug)]
pub struct Mint {
    /// The first generation of every slot.
    first: u32,
    generations: Vec<u32>,
    free: Vec<u32>,
    last_key: u64,
    random: Random,
    /// The policies that are being called, outermost first.
    trail: Vec<Arc<str>>,
}

impl Mint {
    /// A mint whose randomness follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // Multiples of the golden ratio lie as far apart as they can: among a thousand channels, slots of the same number
        // have to be used millions of times to come to the same generation.
        let first = MINTS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9);
        Self { first, generations: vec![], free: vec![], last_key: 0, random: Random::new(seed), trail: vec![] }
    }

    /// For whoever has caught a policy's panic: the names of the policies that were being called, outermost first. It
    /// is the last one that panicked.
    pub fn interrupted(&mut self) -> Vec<Arc<str>> {
        mem::take(&mut self.trail)
    }

    fn key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    fn subchannel(&mut self) -> SubchannelId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.generations.push(self.first);
            self.generations.len() as u32 - 1
        });
        SubchannelId { slot, generation: self.generations[slot as usize] }
    }

    /// Frees the slot of a live subchannel; a slot must not be freed twice.
    fn retire(&mut self, id: SubchannelId) {
        if let Some(generation) = self.generations.get_mut(id.slot()).filter(|g| **g == id.generation) {
            *generation = generation.wrapping_add(1);
            self.free.push(id.slot);
        }
    }
}

/// What a policy may see and ask for during one event.
#[derive(Debug)]
pub struct Cx<'a> {
    now: Instant,
    mint: &'a mut Mint,
    pub(super) out: &'a mut Vec<Command>,
    pub(super) reported: Option<Connectivity>,
}

impl<'a> Cx<'a> {
    /// A context for one event at time `now`; commands are appended to `out`.
    pub fn new(now: Instant, mint: &'a mut Mint, out: &'a mut Vec<Command>) -> Self {
        Self { now, mint, out, reported: None }
    }

    /// For whoever runs the root policy: its last report, if any. `Some` means "collect one picker".
    #[must_use]
    pub fn reported(&self) -> Option<Connectivity> {
        self.reported
    }

    /// The time of the event.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The channel's random sequence.
    pub fn random(&mut self) -> &mut Random {
        &mut self.mint.random
    }

    /// "My state is this, and my picker is stale."
    ///
    /// The state goes up at once because parents must react to it; the picker is asked for later, at most once per
    /// batch of events.
    pub fn report(&mut self, state: Connectivity) {
        self.reported = Some(state);
    }

    /// A new subchannel to `address`, one of `endpoint`'s. It starts `Idle`.
    pub fn create(&mut self, endpoint: &Endpoint, address: &Address) -> SubchannelId {
        let id = self.mint.subchannel();
        self.out.push(Command::Create { id, address: address.clone(), endpoint: endpoint.clone() });
        id
    }

    /// Starts an attempt on an `Idle` subchannel.
    pub fn connect(&mut self, id: SubchannelId) {
        self.out.push(Command::Connect(id));
    }

    /// Has calls that wait for a stream there (A105) ask the next picker. Without this they stay for as long as the
    /// subchannel is READY, in their order, whatever pickers come: say it of one that no call is to go to any more.
    pub fn divert(&mut self, id: SubchannelId) {
        self.out.push(Command::Divert(id));
    }

    /// Gives a subchannel up, and with it every watch on it.
    pub fn shutdown(&mut self, id: SubchannelId) {
        self.mint.retire(id);
        self.out.push(Command::Shutdown(id));
    }

    /// A timer that fires after `after`.
    pub fn arm(&mut self, after: Duration) -> Timer {
        let timer = Timer(self.mint.key());
        self.out.push(Command::Arm { timer, at: deadline::from_now(self.now, after) });
        timer
    }

    /// Cancels a timer that has not fired.
    pub fn cancel(&mut self, timer: Timer) {
        self.out.push(Command::Cancel(timer));
    }

    /// A wake for a picker to hand out.
    pub fn offer(&mut self) -> Wake {
        let wake = Wake(self.mint.key());
        self.out.push(Command::Offer(wake));
        wake
    }

    /// Takes a wake back; pickers still in use may hand it out, and nobody is woken.
    pub fn withdraw(&mut self, wake: Wake) {
        self.out.push(Command::Withdraw(wake));
    }

    /// From now on `tracker` is told of every call on `of`. Any ancestor may ask; several may.
    pub fn observe(&mut self, of: SubchannelId, tracker: Tracker) -> Watch {
        let watch = self.watch(of);
        self.out.push(Command::Observe { watch, tracker });
        watch
    }

    /// From now on the policy hears of the health of `of`.
    pub fn watch_health(&mut self, of: SubchannelId) -> Watch {
        let watch = self.watch(of);
        self.out.push(Command::WatchHealth(watch));
        watch
    }

    /// From now on the policy hears of the load of `of`, about every `every`.
    pub fn watch_load(&mut self, of: SubchannelId, every: Duration) -> Watch {
        let watch = self.watch(of);
        self.out.push(Command::WatchLoad { watch, every });
        watch
    }

    /// Ends a subscription.
    pub fn unwatch(&mut self, watch: Watch) {
        self.out.push(Command::Unwatch(watch));
    }

    /// Asks the resolver to look again; it may take its time.
    pub fn resolve(&mut self) {
        self.out.push(Command::Resolve);
    }

    /// Remembers whose code runs, in case that it panics.
    pub(super) fn enter(&mut self, policy: Arc<str>) {
        self.mint.trail.push(policy);
    }

    pub(super) fn leave(&mut self) {
        self.mint.trail.pop();
    }

    fn watch(&mut self, of: SubchannelId) -> Watch {
        Watch { of, key: self.mint.key() }
    }
}
