//! Every call counts once, and only the killed backend's calls are excused.

use std::time::Duration;

use thalweg::core::{connectivity::Connectivity, status::Code};
use tokio::time::Instant;
use tonic::Status;

use super::Ledger;
use crate::demo::{
    load::Outcome,
    news::{News, What},
};

/// A ledger of three backends and a clock that starts with it.
struct Desk {
    ledger: Ledger,
    start: Instant,
}

impl Desk {
    fn new() -> Self {
        Self { ledger: Ledger::new(3, 2), start: Instant::now() }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    fn call(&mut self, (from, to): (u64, u64), reached: Option<usize>, result: Result<(), Status>) {
        let (begun, ended) = (self.at(from), self.at(to));
        self.ledger.enter(&Outcome { begun, ended, reached, result });
    }

    fn hear(&mut self, at: u64, backend: usize, what: What) -> bool {
        let at = self.at(at);
        self.ledger.hear(&News { at, backend, what })
    }

    fn unexpected(&self) -> u64 {
        self.ledger.unexpected().values().map(|unexpected| unexpected.calls).sum()
    }
}

fn gone() -> Result<(), Status> {
    Err(Status::unavailable("the connection broke"))
}

#[test]
fn calls_are_counted_by_backend_and_code_and_in_sum() {
    let mut desk = Desk::new();
    desk.call((0, 4), Some(0), Ok(()));
    desk.call((0, 8), Some(0), Ok(()));
    desk.call((0, 2), Some(2), Err(Status::internal("x")));
    desk.call((0, 1), None, gone());
    let all = desk.ledger.all();
    assert_eq!((all.calls(), all.ok, all.failures()), (4, 2, 2));
    assert_eq!(all.failed[&Code::Internal] + all.failed[&Code::Unavailable], 2);
    assert_eq!([0, 1, 2].map(|backend| desk.ledger.of(backend).calls()), [2, 0, 1]);
    assert_eq!(desk.ledger.lost().calls(), 1);
    assert_eq!(desk.ledger.of(0).percentiles().max.as_millis(), 8);
    assert_eq!(all.percentiles().p50.as_millis(), 4);
}

#[test]
fn only_what_is_recent_counts_as_recent() {
    let mut desk = Desk::new();
    desk.call((0, 1), Some(0), Ok(()));
    desk.ledger.turn();
    desk.call((0, 1), Some(0), Ok(()));
    desk.call((0, 1), Some(1), Ok(()));
    assert_eq!((desk.ledger.recently_of(0).calls(), desk.ledger.recently().calls()), (2, 3));
    desk.ledger.turn();
    assert_eq!((desk.ledger.recently_of(0).calls(), desk.ledger.recently().calls()), (1, 2));
    desk.ledger.turn();
    assert_eq!((desk.ledger.recently().calls(), desk.ledger.all().calls()), (0, 3));
}

#[test]
fn calls_that_had_reached_a_killed_backend_may_fail_unavailable() {
    let mut desk = Desk::new();
    desk.hear(100, 1, What::Killed { in_flight: 2 });
    desk.call((90, 101), Some(1), gone());
    desk.call((101, 102), Some(1), gone());
    assert_eq!((desk.unexpected(), desk.ledger.killed().collect::<Vec<_>>()), (0, vec![(1, 2)]));
    desk.hear(500, 1, What::Back);
    desk.call((499, 501), Some(1), gone());
    assert_eq!((desk.unexpected(), desk.ledger.killed().collect::<Vec<_>>()), (0, vec![(1, 3)]));
}

#[test]
fn every_other_failure_is_unexpected_and_named() {
    let mut desk = Desk::new();
    desk.hear(50, 0, What::Draining { in_flight: 1 });
    desk.hear(100, 1, What::Killed { in_flight: 2 });
    desk.hear(500, 1, What::Back);
    desk.call((40, 60), Some(0), gone());
    desk.call((40, 99), Some(1), gone());
    desk.call((500, 501), Some(1), gone());
    desk.call((90, 101), Some(1), Err(Status::deadline_exceeded("late")));
    desk.call((90, 101), Some(2), gone());
    desk.call((90, 101), None, gone());
    assert_eq!(desk.unexpected(), 6);
    assert_eq!(desk.ledger.killed().collect::<Vec<_>>(), [(1, 0)]);
    assert_eq!(desk.ledger.drained().collect::<Vec<_>>(), [0]);
    let unexpected = &desk.ledger.unexpected()[&(Code::Unavailable, Some(1))];
    assert_eq!((unexpected.calls, unexpected.message.as_str()), (2, "the connection broke"));
}

#[test]
fn readers_hear_when_a_connection_becomes_ready_or_ceases_to_be() {
    let mut desk = Desk::new();
    let states = [
        Connectivity::Connecting,
        Connectivity::Ready,
        Connectivity::Ready,
        Connectivity::Idle,
        Connectivity::Connecting,
        Connectivity::TransientFailure,
    ];
    let told = states.map(|state| desk.hear(0, 0, What::Connection(state)));
    assert_eq!(told, [false, true, false, true, false, false]);
    assert_eq!(desk.ledger.connection(0), Connectivity::TransientFailure);
}
