//! Tests of the judge: what it lets pass, and what it doesn't.

use super::*;

const PROMISE: Promise =
    Promise { share: 0.5, after_kill: Duration::from_millis(1_600), after_fault: Duration::from_secs(1) };

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn call(begun: u64, ended: u64, backend: usize, outcome: Outcome) -> Call {
    Call { begun: ms(begun), ended: ms(ended), backend: Some(backend), outcome }
}

/// Backend 0 has a fault from second 1 to second 2 of ten.
fn record(fault: Fault, calls: Vec<Call>) -> Record {
    let mut record = Record { calls, end: ms(10_000), ..Record::default() };
    record.periods[0].push(Period { from: ms(1_000), to: Some(ms(2_000)), fault });
    // All have their share in the end.
    for at in 2_000..10_000 {
        record.calls.push(call(at, at + 1, at as usize % BACKENDS, Outcome::Served));
    }
    record
}

fn lost() -> Outcome {
    Outcome::Lost("the connection is closed".into())
}

fn violations(fault: Fault, calls: Vec<Call>) -> usize {
    judge(&record(fault, calls), PROMISE).len()
}

#[test]
fn calls_in_flight_may_be_lost_with_their_backend_and_no_others() {
    assert_eq!(violations(Fault::Killed, vec![call(990, 1_010, 0, lost())]), 0);
    assert_eq!(violations(Fault::Killed, vec![call(2_050, 2_060, 0, lost())]), 0, "found dead");
    assert_eq!(violations(Fault::Killed, vec![call(980, 990, 0, lost())]), 1, "before");
    assert_eq!(violations(Fault::Killed, vec![call(2_200, 2_300, 0, lost())]), 1, "long after");
    assert_eq!(violations(Fault::Killed, vec![call(990, 1_010, 1, lost())]), 1, "elsewhere");
    assert_eq!(violations(Fault::Slow, vec![call(990, 1_010, 0, lost())]), 1, "for another fault");
}

#[test]
fn a_backend_may_refuse_calls_while_it_is_failing() {
    assert_eq!(violations(Fault::Failing, vec![call(1_100, 1_200, 0, Outcome::Refused)]), 0);
    assert_eq!(violations(Fault::Failing, vec![call(2_100, 2_200, 0, Outcome::Refused)]), 1);
}

#[test]
fn a_call_for_which_there_is_no_backend_is_never_excused() {
    let nobody = Call { backend: None, ..call(1_100, 1_200, 0, Outcome::Other("no backend".into())) };
    assert_eq!(violations(Fault::Killed, vec![nobody]), 1);
}

#[test]
fn no_call_begins_where_nobody_serves_once_the_news_is_out() {
    for (at, expected) in [(1_200, 0), (1_300, 1), (1_999, 1), (2_000, 0)] {
        let mut record = record(Fault::NotServing, vec![]);
        record.begun.push((ms(at), 0));
        assert_eq!(judge(&record, PROMISE).len(), expected, "{at}");
    }
}

#[test]
fn a_backend_that_is_well_again_must_have_its_share() {
    let mut record = record(Fault::Killed, vec![]);
    record.calls.retain(|call| call.backend != Some(0));
    assert!(matches!(judge(&record, PROMISE)[..], [Violation::Forsaken { backend: 0, calls: 0, .. }]));
    // Unless it is not well for long enough.
    record.periods[0].push(Period { from: ms(3_000), to: None, fault: Fault::Slow });
    assert!(judge(&record, PROMISE).is_empty());
}
