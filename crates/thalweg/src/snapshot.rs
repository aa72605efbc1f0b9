//! The immutable value that the channel's driver publishes and that calls read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::{ArcSwap, Guard};
use rpds::VectorSync;
use thalweg_core::{
    connectivity::Connectivity,
    endpoint::Address,
    lb::{Fixed, Pick, Picker, SubchannelId, Tracker},
};
use tokio::sync::watch;

use crate::{
    config::ConfigSelector,
    panics::Contained,
    rt::{self, BoxFuture},
    subchannel::{
        ConnectionKey,
        pool::{Members, Pool},
    },
};

/// A READY subchannel, as the data path sees it.
#[derive(Clone, Debug)]
pub(crate) struct ReadySubchannel {
    pub(crate) id: SubchannelId,
    pub(crate) address: Address,
    /// At least one.
    pub(crate) connections: Members,
    /// Where calls wait if none of them has room.
    pub(crate) pool: Arc<Pool>,
    /// Told of every call.
    pub(crate) trackers: Arc<[Contained<Tracker>]>,
}

impl ReadySubchannel {
    /// The name of the connection that this attempt made.
    pub(crate) fn key(&self, attempt: u64) -> ConnectionKey {
        ConnectionKey { subchannel: self.id, attempt }
    }
}

/// Everything a call needs to find its way. Replaced whole, never changed.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) state: Connectivity,
    /// Nobody resolves or balances: the next call wakes the channel.
    pub(crate) asleep: bool,
    /// `None` until the name has resolved, or failed to, for the first time.
    pub(crate) selector: Option<Contained<Arc<dyn ConfigSelector>>>,
    pub(crate) picker: Contained<Arc<dyn Picker>>,
    /// By slot.
    pub(crate) ready: VectorSync<Option<ReadySubchannel>>,
}

impl Snapshot {
    /// A channel that nobody has used yet, or that has gone idle.
    pub(crate) fn asleep() -> Self {
        Self {
            state: Connectivity::Idle,
            asleep: true,
            selector: None,
            picker: Contained::new(Arc::new(Fixed::new(Pick::Queue))),
            ready: VectorSync::new_sync(),
        }
    }

    /// The subchannel, if it is (still) READY.
    pub(crate) fn ready(&self, id: SubchannelId) -> Option<&ReadySubchannel> {
        self.ready.get(id.slot())?.as_ref().filter(|ready| ready.id == id)
    }
}

/// Where snapshots are published.
#[derive(Debug)]
pub(crate) struct Board {
    current: ArcSwap<Snapshot>,
    /// Counts the snapshots, and wakes whoever waits for the next.
    epoch: watch::Sender<u64>,
    /// Calls that have not ended.
    active: AtomicUsize,
    /// When the last of them ended, in nanoseconds after `start`.
    quiet_since: AtomicU64,
    start: Instant,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self {
            current: ArcSwap::from_pointee(Snapshot::asleep()),
            epoch: watch::Sender::new(0),
            active: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(0),
            start: rt::now(),
        }
    }

    pub(crate) fn load(&self) -> Guard<Arc<Snapshot>> {
        self.current.load()
    }

    pub(crate) fn publish(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
        self.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// A ticket for whatever is published from now on: take it *before* reading the snapshot it is to outdate.
    pub(crate) fn subscribe(&self) -> Ticket {
        Ticket(self.epoch.subscribe())
    }

    /// A call begins.
    pub(crate) fn enter(&self) {
        self.active.fetch_add(1, Ordering::Relaxed);
    }

    /// A call has ended.
    pub(crate) fn leave(&self) {
        if self.active.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.quiet_since.store((rt::now() - self.start).as_nanos() as u64, Ordering::Relaxed);
        }
    }

    /// Since when no call has been under way; `None` while one is.
    pub(crate) fn quiet_since(&self) -> Option<Instant> {
        let is_quiet = self.active.load(Ordering::Relaxed) == 0;
        is_quiet.then(|| self.start + Duration::from_nanos(self.quiet_since.load(Ordering::Relaxed)))
    }
}

/// Waits for the next snapshot.
#[derive(Debug)]
pub(crate) struct Ticket(watch::Receiver<u64>);

impl Ticket {
    /// Ready once something was published after the ticket was taken. A board that is gone publishes nothing.
    pub(crate) async fn published(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The same, boxed, for a call that waits.
    pub(crate) fn into_future(mut self) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.published().await })
    }
}
