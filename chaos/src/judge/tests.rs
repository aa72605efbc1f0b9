//! Tests of the judge: what it lets pass, and what it doesn't.

use super::*;

const PROMISE: Promise = Promise { share: 0.5, after_kill: ms(1_600), after_fault: ms(1_000), ejects: None };
const EJECTING: Promise = Promise { ejects: Some(ms(1_200)), ..PROMISE };
/// Calls per second.
const RATE: u32 = 1_000;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn call(begun: u64, ended: u64, backend: usize, outcome: Outcome) -> Call {
    Call { due: ms(begun), begun: ms(begun), ended: ms(ended), backend: Some(backend), outcome }
}

/// Backend 0 has a fault from second 1 to second 2 of ten.
fn record(fault: Fault, calls: Vec<Call>) -> Record {
    let mut record = Record { calls, end: ms(10_000), ..Record::default() };
    record.periods[0].push(Period { from: ms(1_000), to: Some(ms(2_000)), fault });
    // All the others have the calls at first, and all have their share in the end.
    for at in 0..10_000 {
        let backend = if at < 2_000 { 1 + at % 5 } else { at % 6 };
        record.calls.push(call(at, at + 1, backend as usize, Outcome::Served));
    }
    record
}

fn lost() -> Outcome {
    Outcome::Lost("the connection is closed".into())
}

fn violations(fault: Fault, calls: Vec<Call>) -> usize {
    judge(&record(fault, calls), RATE, PROMISE).len()
}

#[test]
fn calls_in_flight_may_be_lost_with_their_backend_and_no_others() {
    assert_eq!(violations(Fault::Killed, vec![call(990, 1_010, 0, lost())]), 0);
    assert_eq!(violations(Fault::Killed, vec![call(200, 1_000, 0, lost())]), 0, "long under way");
    assert_eq!(violations(Fault::Killed, vec![call(1_100, 1_110, 0, lost())]), 0, "found dead");
    assert_eq!(violations(Fault::Killed, vec![call(980, 990, 0, lost())]), 1, "before");
    assert_eq!(violations(Fault::Killed, vec![call(2_050, 2_060, 0, lost())]), 1, "when it was back");
    assert_eq!(violations(Fault::Killed, vec![call(990, 1_010, 1, lost())]), 1, "elsewhere");
    assert_eq!(violations(Fault::Slow, vec![call(990, 1_010, 0, lost())]), 1, "for another fault");
}

#[test]
fn a_call_that_is_sent_where_nobody_is_any_longer_is_not_excused() {
    assert_eq!(violations(Fault::Killed, vec![call(1_101, 1_110, 0, lost())]), 1, "just too late");
    assert_eq!(violations(Fault::Killed, vec![call(1_900, 1_950, 0, lost())]), 1, "long dead");
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
        assert_eq!(judge(&record, RATE, PROMISE).len(), expected, "{at}");
    }
}

#[test]
fn a_backend_that_is_well_again_must_have_its_share() {
    let mut record = record(Fault::Killed, vec![]);
    record.calls.iter_mut().filter(|call| call.backend == Some(0)).for_each(|call| call.backend = Some(1));
    assert!(matches!(judge(&record, RATE, PROMISE)[..], [Violation::Forsaken { backend: 0, calls: 0, .. }]));
    // Unless it is not well for long enough.
    record.periods[0].push(Period { from: ms(3_000), to: None, fault: Fault::Slow });
    assert!(judge(&record, RATE, PROMISE).is_empty());
}

/// Backend 0 fails half of its calls for so long from second 1, and has one every 3 ms but for these times.
fn failing(lasts: u64, away: std::ops::Range<u64>) -> Record {
    let mut record = record(Fault::Failing, vec![]);
    record.calls.retain(|call| call.backend != Some(0));
    record.periods[0][0].to = Some(ms(1_000 + lasts));
    let times = (1_000..10_000).step_by(3).filter(|at| !away.contains(at));
    record.calls.extend(times.map(|at| call(at, at + 1, 0, Outcome::Served)));
    record
}

fn kept(record: &Record, promise: Promise) -> bool {
    let violations = judge(record, RATE, promise);
    assert!(matches!(violations[..], [] | [Violation::Kept { backend: 0, .. }]), "{violations:?}");
    !violations.is_empty()
}

#[test]
fn a_backend_that_fails_half_of_its_calls_is_ejected() {
    assert!(kept(&failing(2_000, 0..0), EJECTING));
    assert!(!kept(&failing(2_000, 0..0), PROMISE), "the policy ejects nobody");
    assert!(!kept(&failing(2_000, 1_900..2_900), EJECTING), "ejected");
    assert!(!kept(&failing(2_000, 2_200..3_500), EJECTING), "ejected until the end");
    assert!(kept(&failing(2_000, 1_900..2_300), EJECTING), "a short pause is none");
    assert!(kept(&failing(2_300, 0..1_500), EJECTING), "it had calls only later");
}

#[test]
fn a_backend_that_fails_too_shortly_to_be_ejected_may_stay() {
    assert!(!kept(&failing(1_600, 0..0), EJECTING));
    assert!(!kept(&failing(2_000, 0..1_500), EJECTING), "it had calls only later");
}

#[test]
fn a_backend_may_stay_while_half_of_all_are_ejected() {
    let mut record = failing(2_000, 0..0);
    for other in 1..=3 {
        assert!(kept(&record, EJECTING));
        record.periods[other].push(Period { from: ms(0), to: Some(ms(500)), fault: Fault::Failing });
    }
    assert!(!kept(&record, EJECTING));
    record.periods[3][0].fault = Fault::Slow;
    assert!(kept(&record, EJECTING));
}

#[test]
fn a_load_that_stalls_or_comes_late_is_a_violation() {
    let mut stalled = record(Fault::Slow, vec![]);
    stalled.calls.truncate(9_750);
    assert_eq!(judge(&stalled, RATE, PROMISE), []);
    stalled.calls.pop();
    assert_eq!(judge(&stalled, RATE, PROMISE), [Violation::Idle { calls: 9_749, due: 9_750 }]);
    let mut late = record(Fault::Slow, vec![]);
    late.calls[5_000].due -= ms(250);
    assert_eq!(judge(&late, RATE, PROMISE), []);
    late.calls[6_000].due -= ms(251);
    assert_eq!(judge(&late, RATE, PROMISE), [Violation::Late { latest: ms(251) }]);
}

#[test]
fn memory_may_grow_a_little_and_not_more() {
    let mut record = record(Fault::Slow, vec![]);
    for (after, expected) in [(0, None), (116 << 20, None), ((116 << 20) + 1, Some((16 << 20) + 1))] {
        record.resident = Some((100 << 20, after));
        let expected: Vec<_> = expected.map(|bytes| Violation::Grown { bytes }).into_iter().collect();
        assert_eq!(judge(&record, RATE, PROMISE), expected);
    }
}
