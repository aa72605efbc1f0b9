//! What `priority` keeps of one child: its timers, and whether it deserves another chance to connect.

use std::{sync::Arc, time::Duration};

use crate::{
    connectivity::Connectivity,
    lb::{
        child::Report,
        cx::Cx,
        picker::{Fixed, Pick, Picker},
        token::Timer,
    },
};

/// How long a child that connects keeps lower priorities waiting.
const FAILOVER: Duration = Duration::from_secs(10);

/// How long a child is kept after a higher priority has taken over.
const RETENTION: Duration = Duration::from_secs(15 * 60);

/// One child.
#[derive(Debug)]
pub(super) struct Member {
    /// The latest one it gave.
    pub(super) picker: Arc<dyn Picker>,
    /// It took nothing from the last update.
    pub(super) rejects: bool,
    /// Armed while it may keep lower priorities waiting.
    failover: Option<Timer>,
    /// Armed while it is deactivated.
    removal: Option<Timer>,
    /// It has failed since it was last READY or IDLE.
    has_failed: bool,
}

/// What a timer of a child is for.
pub(super) enum Expired {
    /// It has had its time to connect.
    Failover,
    /// It has not been needed for long.
    Retention,
}

impl Member {
    /// A child just made: it has some time to connect.
    pub(super) fn new(cx: &mut Cx<'_>) -> Self {
        Self {
            picker: Arc::new(Fixed::new(Pick::Queue)),
            rejects: false,
            failover: Some(cx.arm(FAILOVER)),
            removal: None,
            has_failed: false,
        }
    }

    /// It is connecting, and lower priorities wait for that.
    pub(super) fn may_still_connect(&self) -> bool {
        self.failover.is_some()
    }

    /// It has reported. A child that begins to connect gets time for it, unless it has failed lately.
    pub(super) fn hear(&mut self, cx: &mut Cx<'_>, report: Report) {
        match report.to {
            Connectivity::Connecting => {
                let begins = report.from != Connectivity::Connecting;
                if begins && !self.has_failed && self.failover.is_none() {
                    self.failover = Some(cx.arm(FAILOVER));
                }
            }
            to => {
                self.has_failed = to == Connectivity::TransientFailure;
                cancel(cx, &mut self.failover);
            }
        }
    }

    /// A higher priority serves: if that goes on, the child goes.
    pub(super) fn deactivate(&mut self, cx: &mut Cx<'_>) {
        if self.removal.is_none() {
            self.removal = Some(cx.arm(RETENTION));
        }
    }

    /// It is needed again.
    pub(super) fn reactivate(&mut self, cx: &mut Cx<'_>) {
        cancel(cx, &mut self.removal);
    }

    /// A timer has fired; `None` if it is not this child's.
    pub(super) fn expire(&mut self, timer: Timer) -> Option<Expired> {
        if self.failover.take_if(|failover| *failover == timer).is_some() {
            return Some(Expired::Failover);
        }
        self.removal.take_if(|removal| *removal == timer).map(|_| Expired::Retention)
    }

    /// Gives its timers back.
    pub(super) fn leave(mut self, cx: &mut Cx<'_>) {
        cancel(cx, &mut self.failover);
        cancel(cx, &mut self.removal);
    }
}

fn cancel(cx: &mut Cx<'_>, timer: &mut Option<Timer>) {
    if let Some(timer) = timer.take() {
        cx.cancel(timer);
    }
}
