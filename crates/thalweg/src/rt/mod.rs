//! The only spawn, sleep and now: everything that ties thalweg to tokio's scheduler and clock.

#[cfg(test)]
mod tests;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// A boxed future, for the seams that are traits.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A running task that ends with its handle: dropping this aborts it.
#[derive(Debug)]
pub(crate) struct Task(Option<tokio::task::JoinHandle<()>>);

impl Task {
    /// Lets the task run on by itself.
    pub(crate) fn detach(mut self) {
        self.0 = None;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.abort();
        }
    }
}

/// Runs `future` on the current runtime until it ends or its handle is dropped.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Task {
    Task(Some(tokio::spawn(future)))
}

/// Ready while the task may go on; pending, and woken, when it is the others' turn.
pub(crate) fn poll_turn(cx: &mut Context<'_>) -> Poll<()> {
    tokio::task::coop::poll_proceed(cx).map(|turn| turn.made_progress())
}

/// The time, which tests can pause.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A timer that can be moved.
pub(crate) type Sleep = tokio::time::Sleep;

/// Sleeps until `at`.
pub(crate) fn sleep_until(at: Instant) -> Sleep {
    tokio::time::sleep_until(at.into())
}

/// Sleeps for `time`.
pub(crate) fn sleep(time: Duration) -> Sleep {
    tokio::time::sleep(time)
}

/// An alarm that is set and reset, and sleeps for ever while it is not set.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    at: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Rings at `at`, or never.
    pub(crate) fn set(&mut self, at: Option<Instant>) {
        if self.at == at {
            return;
        }
        self.at = at;
        match (at, &mut self.sleep) {
            (Some(at), Some(sleep)) => sleep.as_mut().reset(at.into()),
            (Some(at), None) => self.sleep = Some(Box::pin(sleep_until(at))),
            (None, _) => {}
        }
    }

    /// Ready once the time has come; the alarm is then no longer set.
    pub(crate) fn poll_ring(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (Some(_), Some(sleep)) = (self.at, &mut self.sleep) else { return Poll::Pending };
        // Whatever used up the task's turn must not keep a deadline from being seen.
        match Pin::new(&mut tokio::task::coop::unconstrained(sleep.as_mut())).poll(cx) {
            Poll::Ready(()) => {
                self.at = None;
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Waits for the alarm.
    pub(crate) async fn ring(&mut self) {
        std::future::poll_fn(|cx| self.poll_ring(cx)).await;
    }
}
