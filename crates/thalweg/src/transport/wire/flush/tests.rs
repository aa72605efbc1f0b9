//! Who asks and who answers, in every order of events.

use std::{
    sync::Arc,
    task::{Context, Wake, Waker},
};

use super::{
    super::sync::{AtomicBool, Ordering},
    Attention,
};

/// A task that runs when it is woken.
struct Task(AtomicBool);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn task() -> (Arc<Task>, Waker) {
    let task = Arc::new(Task(AtomicBool::new(false)));
    (task.clone(), Waker::from(task))
}

#[cfg(not(thalweg_loom))]
mod one_thread {
    use std::task::Poll;

    use super::*;

    #[test]
    fn a_request_wakes_the_task_once_until_it_looks() {
        let (woken, waker) = task();
        let attention = Attention::new();
        let cx = &mut Context::from_waker(&waker);
        assert!(attention.poll_raised(cx).is_pending());

        attention.raise();
        assert!(woken.0.swap(false, Ordering::SeqCst), "the first request wakes the task");
        attention.raise();
        assert!(!woken.0.load(Ordering::SeqCst), "the second one finds the flag raised");

        assert!(attention.poll_raised(cx).is_ready());
        assert!(attention.poll_raised(cx).is_pending(), "both were one request");
    }

    #[test]
    fn a_request_that_came_before_the_task_is_seen() {
        let (_, waker) = task();
        let attention = Attention::new();
        attention.raise();
        assert_eq!(attention.poll_raised(&Context::from_waker(&waker)), Poll::Ready(()));
    }

    #[test]
    fn the_task_may_move_to_another_waker() {
        let (first, second) = (task(), task());
        let attention = Attention::new();
        assert!(attention.poll_raised(&Context::from_waker(&first.1)).is_pending());
        assert!(attention.poll_raised(&Context::from_waker(&second.1)).is_pending());
        attention.raise();
        assert!(!first.0.0.load(Ordering::SeqCst));
        assert!(second.0.0.load(Ordering::SeqCst));
    }
}

/// Every order of events. Run by `RUSTFLAGS="--cfg thalweg_loom" cargo test -p thalweg --lib --release loom`.
#[cfg(thalweg_loom)]
mod loom_tests {
    use loom::thread;

    use super::{
        super::super::sync::{Mutex, lock},
        *,
    };

    #[test]
    fn loom_what_was_appended_before_a_request_is_always_written() {
        loom::model(|| {
            let shared = Arc::new((Attention::new(), Mutex::new(Vec::new())));
            let callers: Vec<_> = (0..2)
                .map(|n| {
                    let shared = shared.clone();
                    thread::spawn(move || {
                        lock(&shared.1).push(n);
                        shared.0.raise();
                    })
                })
                .collect();
            let (woken, waker) = task();
            let mut written = Vec::new();
            let mut poll = || {
                while shared.0.poll_raised(&Context::from_waker(&waker)).is_ready() {
                    written.append(&mut *lock(&shared.1));
                }
            };
            poll();
            callers.into_iter().for_each(|caller| caller.join().expect("a caller"));
            // A task that was woken runs again; one that was not must have seen everything.
            if woken.0.load(Ordering::SeqCst) {
                poll();
            }
            written.sort_unstable();
            assert_eq!(written, [0, 1]);
        });
    }
}
