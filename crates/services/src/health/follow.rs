//! Services that follow what they stand on: a task listens to the source and says what it hears.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{Board, ServingStatus};

/// The shortest time between two questions.
const SHORTEST: Duration = Duration::from_millis(1);

/// A service follows what `ready` holds.
pub(super) fn receiver(board: &Arc<Board>, service: &str, mut ready: watch::Receiver<bool>) {
    let now = *ready.borrow_and_update();
    start(board, service, now, |voice| async move {
        while ready.changed().await.is_ok() {
            voice.say(*ready.borrow_and_update());
        }
        tracing::warn!(service = voice.service, "nobody says any longer whether this service is ready");
    });
}

/// A service follows what `probe` answers, every so often.
pub(super) fn probe<F, A>(board: &Arc<Board>, service: &str, every: Duration, mut probe: F)
where
    F: FnMut() -> A + Send + 'static,
    A: Future<Output = bool> + Send,
{
    let every = every.max(SHORTEST);
    start(board, service, false, |voice| async move {
        let mut due = interval(every);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            voice.say(timeout(every, probe()).await.unwrap_or(false));
        }
    });
}

/// Lets a service follow the source to which the task listens; for now it is as said here.
fn start<T>(board: &Arc<Board>, service: &str, now: bool, listen: impl FnOnce(Voice) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let runtime = Handle::current();
    let id = board.follow(service, ServingStatus::of(now));
    let task = runtime.spawn(listen(Voice { board: Arc::downgrade(board), service: service.to_owned(), id }));
    board.bind(service, id, task.abort_handle());
}

/// What a source speaks with. Its last word is NOT_SERVING.
struct Voice {
    board: Weak<Board>,
    service: String,
    id: u64,
}

impl Voice {
    fn say(&self, ready: bool) {
        if let Some(board) = self.board.upgrade() {
            board.say(&self.service, self.id, ServingStatus::of(ready));
        }
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.say(false);
    }
}
