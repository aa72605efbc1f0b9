//! Tests of waiting for the calls that a read has woken.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake},
};

use super::{FEW, Gathering, IN_VAIN};

const MANY: usize = 16;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn few_calls_are_not_waited_for() {
    let waker = Arc::new(Wakes::default()).into();
    let mut gathering = Gathering::new(MANY);
    assert!(!gathering.begin(FEW - 1, MANY), "few were woken");
    assert!(!gathering.begin(FEW, MANY - 1), "few are at work");
    assert_eq!(gathering.poll_turn(&Context::from_waker(&waker)), Poll::Ready(false));
}

#[test]
fn many_have_one_turn_after_which_the_task_is_woken_by_itself() {
    let wakes = Arc::new(Wakes::default());
    let waker = wakes.clone().into();
    let cx = Context::from_waker(&waker);
    let mut gathering = Gathering::new(MANY);
    for turn in 1..=3 {
        assert!(gathering.begin(FEW, MANY));
        assert_eq!(gathering.poll_turn(&cx), Poll::Pending);
        assert_eq!(wakes.0.load(Relaxed), turn);
        assert_eq!(gathering.poll_turn(&cx), Poll::Ready(true));
        gathering.note(true);
        assert_eq!(gathering.poll_turn(&cx), Poll::Ready(false));
    }
}

#[test]
fn those_who_only_listen_are_rarely_waited_for() {
    let waker = Arc::new(Wakes::default()).into();
    let cx = Context::from_waker(&waker);
    let mut gathering = Gathering::new(MANY);
    for _ in 0..3 {
        assert!(gathering.begin(FEW, MANY));
        assert_eq!(gathering.poll_turn(&cx), Poll::Pending);
        assert_eq!(gathering.poll_turn(&cx), Poll::Ready(true));
        gathering.note(false);
        assert!((0..IN_VAIN).all(|_| !gathering.begin(FEW, MANY)));
    }
}
