//! What both ends have to know of each other, beside the wire, so that neither leaves too early.

use std::cell::Cell;

use tokio::sync::Notify;

/// How far a session has come.
#[derive(Debug, Default)]
pub(crate) struct Milestones {
    /// Calls that are over for the server.
    pub(crate) answered: Milestone,
    /// 1 when the client has heard all it is to hear.
    pub(crate) heard: Milestone,
}

/// A number that somebody waits for.
#[derive(Debug, Default)]
pub(crate) struct Milestone {
    count: Cell<usize>,
    changed: Notify,
}

impl Milestone {
    pub(crate) fn count(&self) {
        self.count.set(self.count.get() + 1);
        self.changed.notify_waiters();
    }

    pub(crate) fn is_reached(&self, count: usize) -> bool {
        self.count.get() >= count
    }

    pub(crate) async fn wait_for(&self, count: usize) {
        while !self.is_reached(count) {
            self.changed.notified().await;
        }
    }
}
