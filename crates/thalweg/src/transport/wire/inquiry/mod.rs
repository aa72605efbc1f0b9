//! Questions that only the reading task can answer, since nobody else knows what comes in: put on demand, and never left
//! open.

#[cfg(all(test, not(thalweg_loom)))]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use tokio::sync::oneshot;

use super::sync::{Mutex, lock};
use crate::transport::counters::StreamStats;

/// What is asked: the open streams.
pub(super) struct Inquiry {
    /// The connection's number, which is to be in the answer.
    pub(super) connection: u64,
    pub(super) answer: oneshot::Sender<Vec<StreamStats>>,
}

/// The questions to one connection.
pub(super) struct Inquiries {
    /// `None` when nobody answers any more.
    open: Mutex<Option<Vec<Inquiry>>>,
    any: AtomicBool,
}

impl Inquiries {
    pub(super) fn new() -> Self {
        Self { open: Mutex::new(Some(vec![])), any: AtomicBool::new(false) }
    }

    /// Asks. The answer fails if the connection ends before.
    pub(super) fn put(&self, connection: u64) -> oneshot::Receiver<Vec<StreamStats>> {
        let (answer, answered) = oneshot::channel();
        if let Some(open) = &mut *lock(&self.open) {
            open.push(Inquiry { connection, answer });
            self.any.store(true, SeqCst);
        }
        answered
    }

    /// For the reading task: what is to be answered.
    pub(super) fn take(&self) -> Vec<Inquiry> {
        if !self.any.load(SeqCst) {
            return vec![];
        }
        self.any.store(false, SeqCst);
        lock(&self.open).as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Nobody answers from now on.
    pub(super) fn close(&self) {
        drop(lock(&self.open).take());
    }
}
