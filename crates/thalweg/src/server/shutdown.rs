//! How a server stops: everything in it watches one phase, and its end is known by everything in it being gone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use thalweg_core::deadline;
use tokio::sync::watch;

use super::roll::Roll;
use crate::{
    rt::{self, Alarm},
    transport::{counters::ConnectionStats, server::LAST_WORDS},
};

/// How long after the cut a server waits for handlers that block their thread, which nothing can end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where in its life a server is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// It serves.
    Serving,
    /// It takes nothing new, and cuts off at this time what is not done.
    Draining(Instant),
    /// It cut everything off at this time.
    Cut(Instant),
}

impl Phase {
    /// The later of two phases, or the more urgent.
    fn urge(&mut self, to: Self) -> bool {
        let urgent = match (*self, to) {
            (Self::Serving, _) | (Self::Draining(_), Self::Cut(_)) => true,
            (Self::Draining(before), Self::Draining(now)) => now < before,
            (Self::Cut(_), _) | (_, Self::Serving) => false,
        };
        if urgent {
            *self = to;
        }
        urgent
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
        while self.phase() == Phase::Serving {
            self.changed().await;
        }
    }
}

/// The phase, and who is still there.
#[derive(Debug)]
pub(super) struct Control {
    phase: watch::Sender<Phase>,
    alive: watch::Sender<()>,
    roll: Arc<Roll>,
}

impl Control {
    /// A server that serves, and what keeps it alive.
    pub(super) fn new() -> (Arc<Self>, Alive) {
        let (alive, held) = watch::channel(());
        let phase = watch::Sender::new(Phase::Serving);
        (Arc::new(Self { phase, alive, roll: Arc::default() }), Alive(held))
    }

    /// Where connections are listed.
    pub(super) fn roll(&self) -> Arc<Roll> {
        Arc::clone(&self.roll)
    }

    pub(super) fn watch(&self) -> Watch {
        Watch(self.phase.subscribe())
    }

    pub(super) fn drain(&self, within: Duration) {
        let at = deadline::from_now(rt::now(), within);
        self.phase.send_if_modified(|phase| phase.urge(Phase::Draining(at)));
    }

    pub(super) fn cut(&self) {
        self.phase.send_if_modified(|phase| phase.urge(Phase::Cut(rt::now())));
    }

    /// Waits until everything is gone, or can no longer be waited for.
    pub(super) async fn ended(&self) {
        let (mut watch, mut limit) = (self.watch(), Alarm::default());
        loop {
            limit.set(match watch.phase() {
                Phase::Serving => None,
                Phase::Draining(at) | Phase::Cut(at) => at.checked_add(LAST_WORDS + PATIENCE),
            });
            tokio::select! {
                biased;
                () = self.alive.closed() => return,
                () = limit.ring() => return tracing::warn!("a handler that blocks its thread outlives the server"),
                () = watch.changed() => {}
            }
        }
    }
}

/// Stops a server, waits for its end, and looks at its connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServerHandle(pub(super) Arc<Control>);

impl ServerHandle {
    /// Stops gracefully, and returns when the server has ended: it accepts no more connections, every client hears
    /// GOAWAY, calls in flight finish, and what is not done `within` this time is cut off. It always ends. The stop goes
    /// on if the returned future is dropped.
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
        self.0.roll.stats()
    }

    /// Returns when the server has ended: all calls are over and all connections closed.
    pub async fn stopped(&self) {
        self.0.ended().await;
    }
}
