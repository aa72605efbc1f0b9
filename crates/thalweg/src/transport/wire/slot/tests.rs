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
    use bytes::BytesMut;
    use thalweg_http2::{
        config::{Config, Role},
        exchange::{Cut, News},
        frame::{Head, flags, kind, settings::Settings},
        head::RequestHead,
        receive::{Payload, Receiver, Sink},
    };

    use super::{super::Held, *};

    /// Hands the pieces of a body on to a slot.
    struct Pieces<'a> {
        slot: &'a Slot,
        shares: bool,
        held: Held,
    }

    impl Sink for Pieces<'_> {
        type Stream = ();

        fn request(&mut self, _: u32, _: RequestHead, _: bool) {}
        fn response(&mut self, (): &(), _: ResponseHead, _: bool) {}
        fn data(&mut self, (): &(), payload: Payload<'_>, end: bool) {
            self.held += self.slot.on_data(payload, self.shares, end).held;
        }
        fn trailers(&mut self, (): &(), _: Fields) {}
        fn cut(&mut self, (): &(), _: Cut) {}
        fn ping(&mut self) {}
        fn pong(&mut self, _: [u8; 8]) {}
        fn settings(&mut self, _: &Settings) {}
    }

    /// DATA of these sizes comes for a slot. What counts against the connection.
    fn receive(slot: &Slot, sizes: &[usize], shares: bool) -> Held {
        let mut sink = Pieces { slot, shares, held: Held::default() };
        let mut receiver = Receiver::new(Role::Client, &Config::default());
        receiver.learn(&mut News { opened: vec![(1, ())], ..News::default() }, &mut sink);
        let mut bytes = vec![];
        Head { len: 0, kind: kind::SETTINGS, flags: 0, stream: 0 }.write(&mut bytes);
        Head { len: 1, kind: kind::HEADERS, flags: flags::END_HEADERS, stream: 1 }.write(&mut bytes);
        // :status 200
        bytes.push(0x88);
        for (size, letter) in sizes.iter().zip(b'a'..) {
            Head { len: *size, kind: kind::DATA, flags: 0, stream: 1 }.write(&mut bytes);
            bytes.extend(vec![letter; *size]);
        }
        receiver.receive(&mut BytesMut::from(&bytes[..]), 0, &mut sink).expect("all is well");
        sink.held
    }

    /// Reads what is there. What counts against the connection no more.
    fn read(slot: &Slot) -> (Vec<u8>, Held) {
        let (mut all, mut freed) = (vec![], Held::default());
        while let Poll::Ready(Some(Ok((piece, held)))) = slot.poll_data(&Context::from_waker(Waker::noop())) {
            all.extend_from_slice(&piece);
            freed += held;
        }
        (all, freed)
    }

    #[test]
    fn pieces_that_share_memory_count_until_they_are_read_and_copies_do_not() {
        let sizes = [10, 5000, 10, 6000, 10];
        let sent: Vec<u8> = sizes.iter().zip(b'a'..).flat_map(|(size, letter)| vec![letter; *size]).collect();
        for (shares, pieces) in [(true, 4), (false, 0)] {
            let slot = Slot::new(None, None);
            let held = receive(&slot, &sizes, shares);
            assert_eq!(held, Held { bytes: 0, pieces });
            assert_eq!(read(&slot), (sent.clone(), held));

            let held = receive(&slot, &sizes, shares);
            assert_eq!(slot.abandon().0, held, "what nobody will read is free");
        }
    }

    #[test]
    fn bytes_beyond_what_each_stream_may_have_count_until_they_are_read() {
        let slot = Slot::new(None, None);
        let held = receive(&slot, &[16_000; 5], true);
        assert_eq!(held, Held { bytes: 80_000 - (64 << 10), pieces: 5 });
        assert_eq!(read(&slot).1, held);
    }

    #[test]
    fn a_whole_response_that_is_put_back_counts_again() {
        let slot = Slot::new(None, None);
        let _ = slot.on_head(head(), false);
        let held = receive(&slot, &[5000], true);
        let _ = slot.on_trailers(Fields { grpc_status: Some(0), ..Fields::default() });
        let Poll::Ready(Ok((_, Some((whole, freed))))) = slot.poll_head(&Context::from_waker(Waker::noop())) else {
            panic!("it is whole")
        };
        assert_eq!((freed, slot.put_back(whole)), (held, held));
        assert_eq!(read(&slot), (vec![b'a'; 5000], held));
    }

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
