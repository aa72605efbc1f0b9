//! Idleness, age and drain, told the time.

use std::time::{Duration, Instant};

use super::{ACKNOWLEDGE, Lifetime, LifetimeLimits, Next};

const S: Duration = Duration::from_secs(1);

fn limits(idle: Option<u32>, age: Option<u32>, grace: Option<u32>) -> LifetimeLimits {
    LifetimeLimits { idle: idle.map(|n| S * n), age: age.map(|n| S * n), grace: grace.map(|n| S * n) }
}

#[test]
fn without_limits_it_lives_for_ever() {
    let now = Instant::now();
    assert_eq!(Lifetime::new(LifetimeLimits::default(), now, 0.5).decide(now + S * 1_000_000), Next::Wait(None));
}

#[test]
fn the_age_is_spread_by_a_tenth_either_way() {
    let now = Instant::now();
    for (jitter, at) in [(0.0, 90), (0.5, 100), (1.0, 110)] {
        let mut life = Lifetime::new(limits(None, Some(100), None), now, jitter);
        assert_eq!(life.decide(now), Next::Wait(Some(now + S * at)));
    }
}

#[test]
fn the_longest_of_times_are_for_ever() {
    let (now, max) = (Instant::now(), Some(Duration::MAX));
    for jitter in [0.0, 0.5, 1.0] {
        let mut life = Lifetime::new(LifetimeLimits { idle: max, age: max, grace: max }, now, jitter);
        assert_eq!(life.decide(now + S * 1_000_000), Next::Wait(None));
    }
}

#[test]
fn calls_in_flight_at_the_age_have_the_grace_and_no_more() {
    let now = Instant::now();
    let mut life = Lifetime::new(limits(None, Some(100), Some(7)), now, 0.5);
    life.set_active(true, now);
    let aged = now + S * 100;
    assert_eq!(life.decide(aged), Next::Drain);
    assert_eq!(life.decide(aged), Next::Wait(Some(aged + ACKNOWLEDGE)));
    assert_eq!(life.decide(aged + ACKNOWLEDGE), Next::Insist);
    assert_eq!(life.decide(aged + ACKNOWLEDGE), Next::Wait(Some(aged + S * 7)));
    assert_eq!(life.decide(aged + S * 7), Next::Cut);
}

#[test]
fn without_a_grace_calls_in_flight_have_all_the_time() {
    let now = Instant::now();
    let mut life = Lifetime::new(limits(None, Some(100), None), now, 0.5);
    life.set_active(true, now);
    assert_eq!(life.decide(now + S * 100), Next::Drain);
    assert_eq!(life.decide(now + S * 1_000), Next::Insist);
    assert_eq!(life.decide(now + S * 1_000), Next::Wait(None));
}

#[test]
fn only_time_without_calls_is_idle_time() {
    let now = Instant::now();
    let mut life = Lifetime::new(limits(Some(10), None, None), now, 0.5);
    assert_eq!(life.decide(now), Next::Wait(Some(now + S * 10)));
    life.set_active(true, now + S * 9);
    assert_eq!(life.decide(now + S * 50), Next::Wait(None));
    life.set_active(false, now + S * 50);
    assert_eq!(life.decide(now + S * 59), Next::Wait(Some(now + S * 60)));
    assert_eq!(life.decide(now + S * 60), Next::Drain);
}

#[test]
fn a_client_that_never_acknowledges_is_not_waited_for() {
    let now = Instant::now();
    let mut life = Lifetime::new(LifetimeLimits::default(), now, 0.5);
    life.drain(now, None);
    assert_eq!(life.decide(now), Next::Wait(Some(now + ACKNOWLEDGE)));
    life.set_active(true, now);
    assert_eq!(life.decide(now + ACKNOWLEDGE), Next::Insist);
    assert_eq!(life.decide(now + ACKNOWLEDGE), Next::Wait(None));
    life.set_active(false, now + ACKNOWLEDGE);
    assert_eq!(life.decide(now + ACKNOWLEDGE), Next::Cut);
}

#[test]
fn of_two_drains_the_earlier_cut_counts() {
    let now = Instant::now();
    let mut life = Lifetime::new(LifetimeLimits::default(), now, 0.5);
    life.set_active(true, now);
    life.drain(now, None);
    life.drain(now, Some(now + S * 30));
    life.drain(now, Some(now + S * 60));
    assert_eq!(life.decide(now + ACKNOWLEDGE), Next::Insist);
    assert_eq!(life.decide(now + ACKNOWLEDGE), Next::Wait(Some(now + S * 30)));
}
