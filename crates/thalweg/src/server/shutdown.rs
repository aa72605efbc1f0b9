//! How a server stops: everything in it watches one phase, and its end is known by everything in it being gone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use thalweg_core::deadline;
use tokio::sync::watch;

use super::hooks::Hooks;
use crate::{
    rt::{self, Alarm},
    transport::{
        counters::{ConnectionStats, ConnectionTotals, StreamStats},
        ledger::Ledger,
        server::LAST_WORDS,
    },
};

/// How long after the cut a server waits for handlers that block their thread, which nothing can end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where in its life a server is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// It serves.
    Serving,
    /// It serves on, so that clients can move away, until it drains.
    Leaving {
        /// When it will take nothing new.
        drain: Instant,
        /// When it will cut off what is not done.
        cut: Instant,
    },
    /// It takes nothing new, and cuts off at this time what is not done.
    Draining(Instant),
    /// It cut everything off at this time.
    Cut(Instant),
}

impl Phase {
    /// The later of two phases, with the more urgent of their times.
    fn urged(self, to: Self) -> Self {
        match (self, to) {
            (Self::Serving, to) => to,
            (Self::Leaving { drain, cut }, Self::Leaving { drain: sooner, cut: earlier }) => {
                Self::Leaving { drain: drain.min(sooner), cut: cut.min(earlier) }
            }
            (Self::Leaving { cut, .. } | Self::Draining(cut), Self::Draining(earlier))
            | (Self::Draining(cut), Self::Leaving { cut: earlier, .. }) => Self::Draining(cut.min(earlier)),
            (Self::Leaving { .. } | Self::Draining(_), Self::Cut(_)) => to,
            (_, Self::Serving) | (Self::Cut(_), _) => self,
        }
    }
}

/// Held by whatever must be gone before the server has ended.
#[derive(Clone, Debug)]
pub(super) struct Alive(#[expect(dead_code, reason = "it is there to be counted")] watch::Receiver<()>);

/// The phase as one part of the server watches it.
#[derive(Clone, Debug)]
pub(super) struct Watch(watch::Receiver<Phase>);

impl Watch {
    /// The phase now.
    pub(super) fn phase(&mut self) -> Phase {
        *self.0.borrow_and_update()
    }

    /// Waits until the phase is another than the one last seen.
    pub(super) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is left who could change it.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the server no longer takes anything new.
    pub(super) async fn stopping(&mut self) {
        while matches!(self.phase(), Phase::Serving | Phase::Leaving { .. }) {
            self.changed().await;
        }
    }
}

/// The phase, and who is still there.
#[derive(Debug)]
pub(super) struct Control {
    phase: watch::Sender<Phase>,
    alive: watch::Sender<()>,
    ledger: Arc<Ledger>,
    hooks: Hooks,
    /// How long it serves on once it is told to stop.
    drain_time: Duration,
}

impl Control {
    /// A server that serves, and what keeps it alive.
    pub(super) fn new(hooks: Hooks, drain_time: Duration) -> (Arc<Self>, Alive) {
        let (alive, held) = watch::channel(());
        let phase = watch::Sender::new(Phase::Serving);
        (Arc::new(Self { phase, alive, ledger: Arc::default(), hooks, drain_time }), Alive(held))
    }

    /// Where connections are listed.
    pub(super) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.ledger)
    }

    pub(super) fn watch(&self) -> Watch {
        Watch(self.phase.subscribe())
    }

    pub(super) fn drain(&self, within: Duration) {
        self.hooks.run();
        let now = rt::now();
        let cut = deadline::from_now(now, within);
        let drain = deadline::from_now(now, self.drain_time).min(cut);
        self.urge(if drain <= now { Phase::Draining(cut) } else { Phase::Leaving { drain, cut } });
    }

    pub(super) fn cut(&self) {
        self.hooks.run();
        self.urge(Phase::Cut(rt::now()));
    }

    fn urge(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let before = *phase;
            *phase = before.urged(to);
            *phase != before
        });
    }

    /// Waits until everything is gone, or can no longer be waited for. Whoever waits lets the drain begin in time, so the
    /// task that runs the server does.
    pub(super) async fn ended(&self) {
        let (mut watch, mut limit) = (self.watch(), Alarm::default());
        loop {
            let phase = watch.phase();
            limit.set(match phase {
                Phase::Serving => None,
                Phase::Leaving { drain, .. } => Some(drain),
                Phase::Draining(at) | Phase::Cut(at) => at.checked_add(LAST_WORDS + PATIENCE),
            });
            tokio::select! {
                biased;
                () = self.alive.closed() => return,
                () = limit.ring() => match phase {
                    Phase::Leaving { cut, .. } => self.urge(Phase::Draining(cut)),
                    _ => return tracing::warn!("a handler that blocks its thread outlives the server"),
                },
                () = watch.changed() => {}
            }
        }
    }
}

/// Stops a server, waits for its end, and looks at its connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServerHandle(pub(super) Arc<Control>);

impl ServerHandle {
    /// Stops gracefully, and returns when the server has ended: the [stop hooks](crate::server::ServerBuilder::on_stop)
    /// run, the [drain time](crate::server::ServerBuilder::drain_time) passes, then it accepts no more connections, every
    /// client hears GOAWAY, calls in flight finish, and what is not done `within` this time is cut off, counted from now.
    /// It always ends. The stop goes on if the returned future is dropped.
    ///
    /// Called again, the earlier deadline counts.
    pub async fn graceful_stop(&self, within: Duration) {
        self.0.drain(within);
        self.0.ended().await;
    }

    /// Stops at once: handlers are dropped, and clients see their calls fail with UNAVAILABLE. [`stopped`](Self::stopped)
    /// waits for the end of it.
    pub fn stop(&self) {
        self.0.cut();
    }

    /// What each connection that is ready for calls has done so far, and where it stands (A14's socket data), in the order
    /// in which they were made.
    #[must_use]
    pub fn connection_stats(&self) -> Vec<ConnectionStats> {
        self.0.ledger.connections()
    }

    /// Each call's stream on each of these connections, with its windows. It is a snapshot for whoever looks into what waits,
    /// not something to ask for all the time: every connection has to answer.
    pub async fn stream_stats(&self) -> Vec<StreamStats> {
        self.0.ledger.streams().await
    }

    /// What all connections have done together since the server was built, those that are over included: their counters,
    /// how they ended, and which rules their clients broke.
    #[must_use]
    pub fn connection_totals(&self) -> ConnectionTotals {
        self.0.ledger.totals()
    }

    /// Returns when the server has ended: all calls are over and all connections closed.
    pub async fn stopped(&self) {
        self.0.ended().await;
    }
}
