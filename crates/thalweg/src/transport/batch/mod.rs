//! Batching: a connection with many calls lets those that are ready write first, so that they share a system call.
//!
//! tokio's multi-threaded runtime runs a woken task right after the one that woke it. So the connection's task would run,
//! and flush, after the first call that writes, while the others still wait for their turn.

use std::task::{Context, Poll};

#[cfg(test)]
mod tests;

/// Whether a connection's task has let the calls go first.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Calls from which on waiting pays. With fewer, it would cost latency and save nothing.
    many: usize,
    waited: bool,
}

impl Batch {
    /// Waits when there are at least so many calls.
    pub(crate) fn new(many: usize) -> Self {
        Self { many, waited: false }
    }

    /// Ready when the connection may work. With many `calls` at work it is pending once before, and woken at once: the
    /// task goes to the end of the queue.
    pub(crate) fn poll(&mut self, calls: usize, cx: &mut Context<'_>) -> Poll<()> {
        self.waited = !self.waited && calls >= self.many;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}
