//! The connections of one subchannel, and the calls that wait for a stream on any of them (A105).
//!
//! The channel's driver adds and removes connections. Calls take the oldest connection with room, on their own as long as
//! nobody waits; otherwise they [enter](Pool::enter) the queue and are called up when a connection has room.

use std::{
    fmt::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker, ready},
    time::Instant,
};

use smallvec::SmallVec;

use super::queue::{Look, PATIENCE, Queue};
use crate::{
    rt::{self, Alarm},
    transport::{
        client::Connection,
        counters::ConnectionStats,
        crowd::{Crowd, Usher},
    },
};

/// One connection of a subchannel, by the number of the attempt that made it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) attempt: u64,
    pub(crate) connection: Connection,
}

/// The connections of a subchannel, the oldest first.
pub(crate) type Members = SmallVec<[Member; 1]>;

/// What can be seen of a pool.
#[derive(Clone, Debug)]
pub(crate) struct PoolStats {
    pub(crate) connections: Vec<ConnectionStats>,
    /// How many there may be.
    pub(crate) most: u32,
    /// Calls that ever had to wait.
    pub(crate) queued: u64,
    /// Calls that wait now.
    pub(crate) waiting: usize,
}

/// The connections and the queue of one subchannel.
pub(crate) struct Pool {
    crowd: Arc<Crowd>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    members: Members,
    queue: Queue,
    /// How many connections there may be.
    most: u32,
    /// The driver wants to know when a call finds no stream.
    watched: bool,
    /// Why the last attempt to connect has failed, if it has.
    trouble: Option<Arc<str>>,
}

impl Pool {
    /// No connections, and nobody waits.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new_cyclic(|pool: &Weak<Self>| Self { crowd: Arc::new(Crowd::new(pool.clone())), state: Mutex::default() })
    }

    /// What connections tell when they have room.
    pub(crate) fn crowd(&self) -> Arc<Crowd> {
        self.crowd.clone()
    }

    /// One more connection.
    pub(crate) fn add(&self, member: Member) {
        self.with(|state| {
            state.trouble = None;
            state.members.push(member);
        });
    }

    /// The connection of this attempt takes no more calls. False if there is none. Without any connection nobody waits: calls
    /// go and look for another place.
    pub(crate) fn remove(&self, attempt: u64) -> bool {
        self.with(|state| {
            let place = state.members.iter().position(|member| member.attempt == attempt);
            place.map(|place| state.members.remove(place)).is_some()
        })
    }

    /// There will be no more connections, and no calls on those there are. Were there any?
    pub(crate) fn close(&self) -> bool {
        self.with(|state| !std::mem::take(&mut state.members).is_empty())
    }

    /// The connections, the oldest first.
    pub(crate) fn members(&self) -> Members {
        self.lock().members.clone()
    }

    /// Whoever waits goes and looks for another place.
    pub(crate) fn divert(&self) {
        let mut wake = vec![];
        self.with(|state| state.queue.dismiss(&mut wake));
        wake.into_iter().for_each(Waker::wake);
    }

    /// An attempt for another connection has failed.
    pub(crate) fn note_failure(&self, reason: Arc<str>) {
        self.lock().trouble = Some(reason);
    }

    /// So many connections there may be from now on.
    pub(crate) fn set_most(&self, most: u32) {
        self.lock().most = most;
    }

    /// Do more calls wait than there is room for? If not, the next one that has to wait [says so](Place::wants_more).
    pub(crate) fn wants_more(&self) -> bool {
        let mut state = self.lock();
        let wants = state.queue.demand() > state.room();
        state.watched = !wants;
        wants
    }

    /// What can be seen of it.
    pub(crate) fn stats(&self) -> PoolStats {
        let state = self.lock();
        PoolStats {
            connections: state.members.iter().map(|member| member.connection.stats()).collect(),
            most: state.most,
            queued: state.queue.joined(),
            waiting: state.queue.len(),
        }
    }

    /// A call takes its place at the end of the queue.
    pub(crate) fn enter(self: &Arc<Self>) -> Place {
        let number = self.with(|state| state.queue.join());
        Place { pool: self.clone(), number, patience: None, alarm: Alarm::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in between would leave it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and calls up whom that concerns.
    fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        let mut wake = vec![];
        let result = {
            let mut state = self.lock();
            let result = act(&mut state);
            // Before room is looked for: whoever makes some later looks for those who wait.
            self.crowd.set(state.queue.demand());
            state.serve(&mut wake);
            self.crowd.set(state.queue.demand());
            result
        };
        wake.into_iter().for_each(Waker::wake);
        result
    }
}

impl Usher for Pool {
    fn on_room(&self) {
        self.with(|_| {});
    }
}

impl State {
    /// How many more calls all connections together can take.
    fn room(&self) -> usize {
        self.members.iter().fold(0, |room, member| room.saturating_add(member.connection.room()))
    }

    /// Calls up as many as there is room for. Without a connection, everybody has to go elsewhere.
    fn serve(&mut self, wake: &mut Vec<Waker>) {
        if self.members.is_empty() {
            self.queue.dismiss(wake);
        } else if self.queue.has_standing() {
            self.queue.call_up(self.room(), rt::now(), wake);
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

/// What becomes of a call in the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// A connection has room for it.
    Called,
    /// The subchannel has no connection any more.
    Gone,
    /// Calls are to go elsewhere.
    Diverted,
}

/// The place of one call in the queue of a subchannel. Whoever drops it leaves.
#[derive(Debug)]
pub(crate) struct Place {
    pool: Arc<Pool>,
    number: u64,
    /// Until when those who were called are waited for.
    patience: Option<Instant>,
    alarm: Alarm,
}

impl Place {
    /// Has nobody sent the call away?
    pub(crate) fn is_kept(&self) -> bool {
        self.pool.lock().queue.has(self.number)
    }

    /// Ready when the call has its turn, or has to go elsewhere.
    pub(crate) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        loop {
            let look = |state: &mut State| (state.queue.look(self.number, cx.waker()), state.members.is_empty());
            match self.pool.with(look) {
                (Look::Called, _) => return Poll::Ready(Turn::Called),
                (Look::Gone, true) => return Poll::Ready(Turn::Gone),
                (Look::Gone, false) => return Poll::Ready(Turn::Diverted),
                (Look::Stands, _) => {}
            }
            // Whoever is called and never polled must not keep the others for ever.
            let patience = *self.patience.get_or_insert_with(|| rt::now() + PATIENCE);
            self.alarm.set(Some(patience));
            ready!(self.alarm.poll_ring(cx));
            self.patience = None;
            self.pool.with(|state| state.queue.pass_over(rt::now()));
        }
    }

    /// The call had its turn and found no stream. It keeps its place.
    pub(crate) fn stand_again(&self) {
        self.pool.with(|state| state.queue.stand_again(self.number));
    }

    /// Has the driver to hear that there is no stream for a call? It does so once.
    pub(crate) fn wants_more(&self) -> bool {
        let mut state = self.pool.lock();
        std::mem::take(&mut state.watched)
    }

    /// The connections, the oldest first.
    pub(crate) fn members(&self) -> Members {
        self.pool.members()
    }

    /// Why there is no stream, in words that follow the address.
    pub(crate) fn obstacle(&self) -> String {
        let trouble = self.pool.lock().trouble.clone();
        let limits: Vec<_> = self.members().iter().map(|m| m.connection.stats().max_concurrent_streams).collect();
        describe(&limits, trouble.as_deref())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pool.with(|state| state.queue.leave(self.number));
    }
}

/// "all 2 connections are full (100 streams each)".
fn describe(limits: &[u32], trouble: Option<&str>) -> String {
    let streams = |limit: &u32| format!("{limit} stream{}", if *limit == 1 { "" } else { "s" });
    let mut text = match limits {
        [] => "there is no connection any more".to_owned(),
        [limit] => format!("the connection is full ({})", streams(limit)),
        [first, ..] if limits.iter().all(|limit| limit == first) => {
            format!("all {} connections are full ({} each)", limits.len(), streams(first))
        }
        _ => {
            let each: Vec<_> = limits.iter().map(ToString::to_string).collect();
            format!("all {} connections are full ({} streams)", limits.len(), each.join(", "))
        }
    };
    if let Some(reason) = trouble {
        // Writing to a string does not fail.
        let _ = write!(text, ", and another one cannot be made: {reason}");
    }
    text
}
