//! What answers and ends mean, and the times between streams.

use std::time::{Duration, Instant};

use super::{HealthCheck, ServingStatus};
use crate::{
    backoff::BackoffConfig,
    lb::event::Health,
    random::Random,
    status::{Code, Status},
};

const SECOND: Duration = Duration::from_secs(1);

fn check_of(service: &str) -> (HealthCheck, Instant, Random) {
    let config = BackoffConfig { jitter: 0.0, ..BackoffConfig::default() };
    #[allow(clippy::disallowed_methods)] // A test needs some instant to count from.
    let now = Instant::now();
    (HealthCheck::new(service.into(), config), now, Random::new(1))
}

fn not_serving(reason: &str) -> Health {
    Health::NotServing(reason.into())
}

/// What the server's answer with this number makes of a check of `service`.
fn told(service: &str, number: i32) -> Health {
    let (mut check, now, _) = check_of(service);
    check.begun(now);
    check.answered(ServingStatus::from_number(number));
    check.health().clone()
}

#[test]
fn only_serving_is_serving() {
    for service in ["", "shop.Cart"] {
        assert_eq!(told(service, 1), Health::Serving);
        assert_eq!(told(service, 2), not_serving("reports NOT_SERVING"));
    }
    assert_eq!(told("", 0), not_serving("reports UNKNOWN"));
    assert_eq!(told("", 3), not_serving("reports SERVICE_UNKNOWN"));
    assert_eq!(told("shop.Cart", 0), not_serving("reports UNKNOWN for service \"shop.Cart\""));
    assert_eq!(told("shop.Cart", 3), not_serving("reports SERVICE_UNKNOWN for service \"shop.Cart\""));
    assert_eq!(told("", 77), not_serving("reports the unheard-of status 77"));
    assert_eq!(told("", -1), not_serving("reports the unheard-of status -1"));
}

#[test]
fn health_is_pending_until_the_first_answer_to_each_stream() {
    let (mut check, now, mut random) = check_of("");
    assert_eq!(*check.health(), Health::Pending);
    check.begun(now);
    assert_eq!(*check.health(), Health::Pending);
    check.answered(ServingStatus::Serving);
    check.answered(ServingStatus::NotServing);
    check.answered(ServingStatus::Serving);
    assert_eq!(*check.health(), Health::Serving);
    check.ended(now, &Status::unavailable("gone"), &mut random);
    assert_eq!(*check.health(), not_serving("the health watch failed: UNAVAILABLE: gone"));
    check.begun(now + SECOND);
    assert_eq!(*check.health(), Health::Pending);
}

#[test]
fn a_server_without_health_service_serves_and_is_not_asked_again() {
    for answers in [0, 1] {
        let (mut check, now, mut random) = check_of("");
        check.begun(now);
        for _ in 0..answers {
            check.answered(ServingStatus::NotServing);
        }
        assert_eq!(check.ended(now, &Status::new(Code::Unimplemented, "unknown service"), &mut random), None);
        assert_eq!(*check.health(), Health::Serving);
    }
}

#[test]
fn any_other_end_is_a_failure_and_even_a_good_one() {
    for (status, reason) in [
        (Status::new(Code::Ok, ""), "the health watch failed: the server ended it"),
        (Status::new(Code::Internal, ""), "the health watch failed: INTERNAL"),
        (Status::new(Code::NotFound, "no such service"), "the health watch failed: NOT_FOUND: no such service"),
    ] {
        let (mut check, now, mut random) = check_of("");
        check.begun(now);
        assert!(check.ended(now, &status, &mut random).is_some());
        assert_eq!(*check.health(), not_serving(reason));
    }
}

#[test]
fn streams_without_an_answer_are_ever_further_apart_and_an_answer_forgets_that() {
    let (mut check, mut now, mut random) = check_of("");
    let failed = Status::unavailable("overloaded");
    let mut waits = vec![];
    for _ in 0..13 {
        check.begun(now);
        let again = check.ended(now, &failed, &mut random).unwrap();
        waits.push((again - now).as_secs_f64());
        now = again;
    }
    assert_eq!(waits[..3], [1.0, 1.6, 2.56]);
    assert_eq!(waits[11..], [120.0, 120.0]);
    check.begun(now);
    check.answered(ServingStatus::NotServing);
    now += 100 * SECOND;
    assert_eq!(check.ended(now, &failed, &mut random), Some(now));
    check.begun(now);
    assert_eq!(check.ended(now, &failed, &mut random), Some(now + SECOND));
}

#[test]
fn a_server_that_answers_and_hangs_up_is_asked_once_in_a_second() {
    let (mut check, mut now, mut random) = check_of("");
    for _ in 0..10 {
        check.begun(now);
        check.answered(ServingStatus::Serving);
        let ended = now + SECOND / 4;
        assert_eq!(check.ended(ended, &Status::new(Code::Ok, ""), &mut random), Some(now + SECOND));
        now += SECOND;
    }
}

#[test]
fn a_slow_failure_is_followed_at_once() {
    let (mut check, now, mut random) = check_of("");
    check.begun(now);
    let late = now + 30 * SECOND;
    assert_eq!(check.ended(late, &Status::unavailable("timed out"), &mut random), Some(late));
}

#[test]
fn answers_and_ends_without_a_stream_change_little() {
    let (mut check, now, mut random) = check_of("");
    check.answered(ServingStatus::Serving);
    assert_eq!(*check.health(), Health::Pending);
    assert_eq!(check.ended(now, &Status::unavailable("late"), &mut random), Some(now));
    check.answered(ServingStatus::Serving);
    assert_eq!(*check.health(), not_serving("the health watch failed: UNAVAILABLE: late"));
}
