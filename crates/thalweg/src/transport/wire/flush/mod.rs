//! A call for attention: many ask, one task answers, and no request is lost.

#[cfg(test)]
mod tests;

use std::task::{Context, Poll, Waker};

use super::sync::{AtomicBool, Mutex, Ordering, lock};

/// A flag that wakes a task when it is raised.
///
/// Whoever asks first changes what it wants to be seen, then raises the flag. The task clears the flag first, then looks.
/// So it either sees the change, or is woken again.
#[derive(Debug)]
pub(super) struct Attention {
    raised: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Attention {
    /// Nobody has asked, and no task answers yet.
    pub(super) fn new() -> Self {
        Self { raised: AtomicBool::new(false), task: Mutex::new(None) }
    }

    /// Asks. Only the first since the task looked has to wake it.
    pub(super) fn raise(&self) {
        if self.raised.swap(true, Ordering::AcqRel) {
            return;
        }
        let task = lock(&self.task).clone();
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Ready, and the flag cleared, if somebody has asked; the task is woken when somebody does.
    pub(super) fn poll_raised(&self, cx: &Context<'_>) -> Poll<()> {
        if self.take() {
            return Poll::Ready(());
        }
        self.register(cx.waker());
        // Somebody may have asked before there was a task to wake.
        if self.take() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// For a task that looks at everything whenever it runs: clears the flag, and has the task woken when it is raised.
    pub(super) fn attend(&self, cx: &Context<'_>) {
        while self.poll_raised(cx).is_ready() {}
    }

    /// Clears the flag. Was it raised?
    fn take(&self) -> bool {
        self.raised.load(Ordering::Acquire) && self.raised.swap(false, Ordering::AcqRel)
    }

    fn register(&self, waker: &Waker) {
        let mut task = lock(&self.task);
        if !task.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }
}
