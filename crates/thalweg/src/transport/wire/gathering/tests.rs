//! Tests of waiting for the calls that a read has woken.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake},
};

use thalweg_http2::{
    config::{Config, Role},
    send::{Outgoing, Sender},
};

use super::{
    super::link::{Limits, Link},
    FEW, Gathering, IN_VAIN,
};
use crate::{io::PeerInfo, transport::options::Http2Options};

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

/// A client's connection without its tasks.
fn link() -> Link {
    let options = Http2Options::default();
    let sender = Sender::new(Role::Client, &Config::default());
    let link = Link::new(sender, PeerInfo::default(), Limits::of(&options), None);
    link.with(|sender| sender.take(&mut Outgoing::default()));
    link
}

/// Is the writing task asked for something that it was not asked for before?
fn is_asked(link: &Link) -> bool {
    let waker = Arc::new(Wakes::default()).into();
    link.writing.poll_raised(&Context::from_waker(&waker)).is_ready()
}

#[test]
fn what_is_written_while_others_have_their_turn_is_written_with_theirs() {
    let link = link();
    let _introduction = is_asked(&link);
    link.gather();
    link.ping();
    assert!(!is_asked(&link), "the others may have something to write too");
    link.ping();
    assert!(link.gathered());
    assert!(is_asked(&link));
    assert!(link.take_gathered() && !link.take_gathered(), "there is nobody to wait for, once");
}

#[test]
fn when_nothing_was_written_nobody_is_asked_and_what_comes_later_is_not_held_up() {
    let link = link();
    let _introduction = is_asked(&link);
    link.gather();
    assert!(!link.gathered());
    assert!(!is_asked(&link) && !link.take_gathered());
    link.ping();
    assert!(is_asked(&link));
}
