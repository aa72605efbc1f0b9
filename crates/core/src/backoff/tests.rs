//! The sequence of waits, and what a configuration may not be.

use std::time::Duration;

use super::{Backoff, BackoffConfig, BackoffError};
use crate::random::Random;

fn steady() -> BackoffConfig {
    BackoffConfig { jitter: 0.0, ..BackoffConfig::default() }
}

#[test]
fn waits_grow_to_the_maximum_and_start_over_after_a_reset() {
    let mut random = Random::new(1);
    let mut backoff = Backoff::new(steady());
    let waits: Vec<_> = (0..13).map(|_| backoff.next(&mut random).as_secs_f64()).collect();
    for (n, wait) in waits.iter().enumerate() {
        let expected = 1.6_f64.powi(n as i32).min(120.0);
        assert!((wait - expected).abs() < 1e-6, "wait {n} is {wait}, not {expected}");
    }
    backoff.reset();
    assert_eq!(backoff.next(&mut random), Duration::from_secs(1));
}

#[test]
fn chance_spreads_each_wait_by_a_fifth_both_ways() {
    let waits: Vec<_> = (0..1000)
        .map(|seed| Backoff::new(BackoffConfig::default()).next(&mut Random::new(seed)).as_secs_f64())
        .collect();
    assert!(waits.iter().all(|wait| (0.8..=1.2).contains(wait)));
    assert!(waits.iter().any(|wait| *wait < 0.82) && waits.iter().any(|wait| *wait > 1.18));
}

#[test]
fn the_default_configuration_is_valid() {
    assert_eq!(BackoffConfig::default().validate(), Ok(()));
    assert_eq!(steady().validate(), Ok(()));
}

#[test]
fn a_value_out_of_range_is_named() {
    let default = BackoffConfig::default();
    let second = Duration::from_secs(1);
    for (config, expected) in [
        (BackoffConfig { initial: Duration::ZERO, ..default }, "backoff: initial must be above zero"),
        (BackoffConfig { multiplier: 0.9, ..default }, "backoff: multiplier must be at least 1, and is 0.9"),
        (BackoffConfig { multiplier: f64::NAN, ..default }, "backoff: multiplier must be at least 1, and is NaN"),
        (BackoffConfig { jitter: -0.1, ..default }, "backoff: jitter must be from 0 to 1, and is -0.1"),
        (BackoffConfig { jitter: 1.1, ..default }, "backoff: jitter must be from 0 to 1, and is 1.1"),
        (
            BackoffConfig { initial: 2 * second, max: second, ..default },
            "backoff: max must be at least initial (2s), and is 1s",
        ),
        (
            BackoffConfig { min_connect_timeout: Duration::ZERO, ..default },
            "backoff: min_connect_timeout must be above zero",
        ),
    ] {
        assert_eq!(config.validate().map_err(|error: BackoffError| error.to_string()), Err(expected.into()));
    }
}

#[test]
fn even_an_absurd_configuration_does_not_panic() {
    let mut random = Random::new(3);
    for multiplier in [f64::MAX, f64::NAN, -1.0] {
        let absurd = BackoffConfig { multiplier, jitter: 1.0, max: Duration::MAX, ..BackoffConfig::default() };
        let mut backoff = Backoff::new(absurd);
        for _ in 0..100 {
            let _ = backoff.next(&mut random);
        }
    }
}
