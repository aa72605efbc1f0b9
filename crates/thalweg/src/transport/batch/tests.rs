//! Tests of batching.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake},
};

use super::Batch;

const MANY: usize = 16;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn with_few_calls_a_connection_works_at_once() {
    let wakes = Arc::new(Wakes::default());
    let waker = wakes.clone().into();
    let mut batch = Batch::new(MANY);
    for calls in [0, 1, MANY - 1] {
        assert_eq!(batch.poll(calls, &mut Context::from_waker(&waker)), Poll::Ready(()));
    }
    assert_eq!(wakes.0.load(Relaxed), 0);
}

#[test]
fn with_many_calls_a_connection_waits_once_for_each_time_it_works() {
    let wakes = Arc::new(Wakes::default());
    let waker = wakes.clone().into();
    let mut batch = Batch::new(MANY);
    for turn in 1..=3 {
        assert_eq!(batch.poll(MANY, &mut Context::from_waker(&waker)), Poll::Pending);
        assert_eq!(wakes.0.load(Relaxed), turn);
        assert_eq!(batch.poll(MANY, &mut Context::from_waker(&waker)), Poll::Ready(()));
    }
}
