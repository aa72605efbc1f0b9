//! What calls tell an endpoint's meter. (What the policy makes of it is told in the crate's stories.)

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{
    Config,
    estimate::{Meter, Tuning},
};
use crate::{
    lb::picker::{CallEnd, CallObserver},
    status::Code,
};

const MS: f64 = 1e6;

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[allow(clippy::disallowed_methods)] // A test needs some instant to count from.
fn meter() -> (Instant, Arc<Tuning>, Meter) {
    let origin = Instant::now();
    let tuning = Arc::new(Tuning::new(origin, &Config::default()));
    (origin, Arc::clone(&tuning), Meter::new(tuning, origin))
}

fn end(meter: &Meter, at: Instant, latency: Duration, code: Code) {
    meter.start();
    meter.end(&CallEnd::new(code, at, latency));
}

#[track_caller]
fn assert_costs(tuning: &Tuning, meter: &Meter, now: Instant, ms: f64) {
    let cost = meter.cost(tuning, tuning.since_origin(now)) / MS;
    assert!((cost - ms).abs() < 1e-3 * ms.max(1e-3), "{cost} is not {ms}");
}

#[test]
fn a_latency_above_the_estimate_is_taken_at_once_and_one_below_by_its_share_of_the_time() {
    let (origin, tuning, meter) = meter();
    assert_costs(&tuning, &meter, origin, 30.0);
    end(&meter, origin, millis(200), Code::Ok);
    assert_costs(&tuning, &meter, origin, 200.0);
    end(&meter, origin, millis(0), Code::Ok);
    assert_costs(&tuning, &meter, origin, 200.0);
    let later = origin + millis(5_000);
    end(&meter, later, millis(20), Code::Ok);
    assert_costs(&tuning, &meter, later, 20.0 + 180.0 * (-0.5_f64).exp());
}

#[test]
fn calls_in_flight_multiply_and_silence_discounts_until_a_call_goes_there() {
    let (origin, tuning, meter) = meter();
    (0..3).for_each(|_| meter.start());
    assert_costs(&tuning, &meter, origin, 120.0);
    let later = origin + millis(10_000);
    assert_costs(&tuning, &meter, later, 120.0 * (-1.0_f64).exp());
    meter.touch(tuning.since_origin(later));
    assert_costs(&tuning, &meter, later, 120.0);
}

#[test]
fn a_failure_weighs_as_much_as_its_share_of_the_time() {
    let (origin, tuning, meter) = meter();
    let later = origin + millis(100);
    end(&meter, later, millis(0), Code::Unavailable);
    let left = (-0.01_f64).exp();
    assert_costs(&tuning, &meter, later, 30.0 * left + 10_000.0 * (1.0 - left));
    end(&meter, later, millis(20_000), Code::DeadlineExceeded);
    assert_costs(&tuning, &meter, later, 20_000.0);
}

#[test]
fn a_clock_that_goes_back_and_silence_without_end_do_no_harm() {
    let (origin, tuning, meter) = meter();
    let far = origin + Duration::from_secs(1 << 33);
    end(&meter, far, millis(10), Code::Ok);
    end(&meter, origin, millis(1), Code::Ok);
    assert_costs(&tuning, &meter, origin, 10.0);
    meter.begin_anew(origin);
    assert_costs(&tuning, &meter, far, 0.0);
}

#[test]
fn calls_that_end_on_several_threads_weigh_each_moment_once() {
    let (origin, tuning, meter) = meter();
    let calls = |thread: u64| {
        let meter = &meter;
        move || (1..=5_000).for_each(|ms| end(meter, origin + millis(2 * ms + thread), millis(10), Code::Ok))
    };
    thread::scope(|scope| {
        let other = scope.spawn(calls(1));
        calls(0)();
        other.join().unwrap();
    });
    let end = origin + millis(10_001);
    assert_costs(&tuning, &meter, end, 10.0 + 20.0 * (-1.0001_f64).exp());
}
