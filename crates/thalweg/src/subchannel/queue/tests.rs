//! Who is called when.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Wake, Waker},
    time::Instant,
};

use super::{Look, PATIENCE, Queue};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A queue with some in it, who wait to be woken.
fn queue(calls: u64) -> (Queue, Instant) {
    let mut queue = Queue::default();
    for number in 1..=calls {
        assert_eq!(queue.join(), number);
        assert_eq!(queue.look(number, Waker::noop()), Look::Stands);
    }
    (queue, crate::rt::now())
}

fn called(queue: &mut Queue, calls: u64) -> Vec<u64> {
    (1..=calls).filter(|number| queue.look(*number, Waker::noop()) == Look::Called).collect()
}

#[test]
fn the_first_are_called_as_long_as_there_is_room_for_those_who_were_called_before() {
    let (mut queue, now) = queue(5);
    queue.call_up(2, now, &mut vec![]);
    assert_eq!(called(&mut queue, 5), [1, 2]);
    queue.call_up(2, now, &mut vec![]);
    assert_eq!(called(&mut queue, 5), [1, 2], "they have not come yet");
    queue.leave(1);
    queue.call_up(1, now, &mut vec![]);
    assert_eq!(called(&mut queue, 5), [2], "the stream that was left is the second's");
    queue.leave(2);
    queue.call_up(9, now, &mut vec![]);
    assert_eq!(called(&mut queue, 5), [3, 4, 5]);
    assert_eq!((queue.demand(), queue.joined()), (3, 5));
}

#[test]
fn whoever_is_called_is_woken_once_and_whoever_left_is_not() {
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut queue = Queue::default();
    for number in 1..=3 {
        queue.join();
        queue.look(number, &waker);
    }
    queue.leave(1);
    let mut wake = vec![];
    queue.call_up(2, crate::rt::now(), &mut wake);
    queue.call_up(2, crate::rt::now(), &mut wake);
    wake.into_iter().for_each(Waker::wake);
    assert_eq!(count.0.load(Relaxed), 2);
}

#[test]
fn whoever_finds_no_stream_stands_where_they_stood() {
    let (mut queue, now) = queue(3);
    queue.call_up(2, now, &mut vec![]);
    queue.stand_again(1);
    assert_eq!(called(&mut queue, 3), [2]);
    queue.call_up(2, now, &mut vec![]);
    assert_eq!(called(&mut queue, 3), [1, 2]);
}

#[test]
fn whoever_does_not_come_in_time_holds_up_nobody_and_keeps_the_place() {
    let (mut queue, now) = queue(3);
    queue.call_up(1, now, &mut vec![]);
    queue.pass_over(now + PATIENCE / 2);
    assert_eq!((called(&mut queue, 3), queue.demand()), (vec![1], 3));
    queue.pass_over(now + PATIENCE);
    assert_eq!((queue.demand(), queue.len()), (2, 3));
    queue.call_up(1, now + PATIENCE, &mut vec![]);
    assert_eq!(queue.look(2, Waker::noop()), Look::Called);
    queue.leave(2);
    assert_eq!(queue.look(1, Waker::noop()), Look::Stands, "it is there again");
    queue.call_up(1, now + PATIENCE, &mut vec![]);
    assert_eq!(called(&mut queue, 3), [1]);
}

#[test]
fn whoever_is_sent_away_is_gone_and_woken() {
    let (mut queue, now) = queue(3);
    queue.call_up(1, now, &mut vec![]);
    let mut wake = vec![];
    queue.dismiss(&mut wake);
    assert_eq!(wake.len(), 2, "the first was woken when it was called");
    for number in 1..=3 {
        assert_eq!(queue.look(number, Waker::noop()), Look::Gone);
    }
    assert_eq!((queue.demand(), queue.len()), (0, 0));
}
