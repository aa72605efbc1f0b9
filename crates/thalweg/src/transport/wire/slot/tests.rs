//! One slot and its two users: what is read, what wakes, and what of two outcomes stays.

use std::{
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use http::StatusCode;
use thalweg_http2::{fields::Fields, head::ResponseHead};

use super::{
    super::sync::{AtomicBool, Ordering},
    Slot,
};
use crate::{error::WireError, transport::wire::error::closed};

struct Task(AtomicBool);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.swap(true, Ordering::SeqCst);
    }
}

fn task() -> (Arc<Task>, Waker) {
    let task = Arc::new(Task(AtomicBool::new(false)));
    (task.clone(), Waker::from(task))
}

fn head() -> ResponseHead {
    ResponseHead { status: StatusCode::OK, fields: Fields::default() }
}

/// The end, as whoever reads finds it.
fn end(slot: &Slot) -> Poll<Result<(), WireError>> {
    slot.poll_trailers(&Context::from_waker(Waker::noop())).map_ok(drop)
}

#[cfg(not(thalweg_loom))]
mod one_thread {
    use super::*;

    #[test]
    fn a_response_wakes_its_reader_once() {
        let (_, waker) = task();
        let cx = Context::from_waker(&waker);
        let slot = Slot::new(None, None);
        assert!(slot.poll_head(&cx).is_pending());
        assert!(slot.on_head(head(), false).wake.is_some(), "the reader waits");
        assert!(slot.on_trailers(Fields::default()).wake.is_none(), "it is woken once");

        assert!(matches!(slot.poll_head(&cx), Poll::Ready(Ok((_, None)))), "without a body it is not whole");
        assert!(matches!(slot.poll_data(&cx), Poll::Ready(None)));
        assert!(matches!(slot.poll_trailers(&cx), Poll::Ready(Ok(Some(_)))));
        assert!(slot.is_read());
    }

    #[test]
    fn what_ended_well_is_read_to_its_end_even_after_a_cut() {
        let slot = Slot::new(None, None);
        let _ = slot.on_head(head(), true);
        let _ = slot.on_cut(|_| closed());
        assert_eq!(end(&slot), Poll::Ready(Ok(())));
    }

    #[test]
    fn whoever_answers_a_request_that_has_ended_still_hears_of_a_cut() {
        let (woken, waker) = task();
        let slot = Slot::new(None, None);
        let _ = slot.on_end();
        assert!(slot.poll_cut(false, &Context::from_waker(&waker)).is_pending());
        slot.on_cut(|_| closed()).wake.expect("whoever answers waits").wake();
        assert!(woken.0.load(Ordering::SeqCst));
        assert_eq!(slot.poll_cut(false, &Context::from_waker(&waker)), Poll::Ready(Some(closed())));
    }

    #[test]
    fn an_answer_that_is_complete_wakes_whoever_still_sends() {
        let (woken, waker) = task();
        let slot = Slot::new(None, None);
        assert!(slot.poll_cut(true, &Context::from_waker(&waker)).is_pending());
        slot.on_trailers(Fields::default()).wake.expect("the sender waits").wake();
        assert!(woken.0.load(Ordering::SeqCst));
        assert_eq!(slot.poll_cut(true, &Context::from_waker(&waker)), Poll::Ready(None));
    }

    #[test]
    fn a_cut_wakes_whoever_sends() {
        let (woken, waker) = task();
        let slot = Slot::new(None, None);
        assert!(slot.poll_drained(&Context::from_waker(&waker)).is_pending());
        slot.on_cut(|_| closed()).wake.expect("the sender waits").wake();
        assert!(woken.0.load(Ordering::SeqCst));
        assert_eq!(slot.poll_drained(&Context::from_waker(&waker)), Poll::Ready(Err(closed())));
    }
}

/// Every order of events. Run by `RUSTFLAGS="--cfg thalweg_loom" cargo test -p thalweg --lib --release loom`.
#[cfg(thalweg_loom)]
mod loom_tests {
    use loom::thread;

    use super::*;

    #[test]
    fn loom_no_event_of_a_response_is_missed() {
        loom::model(|| {
            let slot = Arc::new(Slot::new(None, None));
            let reader = {
                let slot = slot.clone();
                thread::spawn(move || {
                    for delivered in [slot.on_head(head(), false), slot.on_trailers(Fields::default())] {
                        if let Some(wake) = delivered.wake {
                            wake.wake();
                        }
                    }
                })
            };
            let (woken, waker) = task();
            let cx = Context::from_waker(&waker);
            let (mut answered, mut ended) = (false, false);
            let poll = |answered: &mut bool, ended: &mut bool| {
                *answered = *answered || slot.poll_head(&cx).is_ready();
                *ended = *answered && slot.poll_trailers(&cx).is_ready();
            };
            poll(&mut answered, &mut ended);
            while !ended && woken.0.swap(false, Ordering::SeqCst) {
                poll(&mut answered, &mut ended);
            }
            reader.join().expect("the reader");
            if !ended && woken.0.swap(false, Ordering::SeqCst) {
                poll(&mut answered, &mut ended);
            }
            assert!(answered && ended);
        });
    }

    #[test]
    fn loom_a_cancel_and_an_end_leave_one_outcome() {
        loom::model(|| {
            let slot = Arc::new(Slot::new(None, None));
            let other = slot.clone();
            let reader = thread::spawn(move || drop(other.on_head(head(), true)));
            let _ = slot.on_cut(|_| closed());
            let first = end(&slot);
            reader.join().expect("the reader");
            assert!(first.is_ready());
            assert_eq!(end(&slot), first, "the first outcome stays");
        });
    }
}
