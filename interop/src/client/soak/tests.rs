//! Tests of how iterations are shared out and judged.

use clap::Parser;

use super::*;
use crate::client::ClientOptions;

fn options(flags: &[&str]) -> SoakOptions {
    ClientOptions::try_parse_from([&["client"], flags].concat()).unwrap().soak
}

fn took(milliseconds: u64) -> Iteration {
    Iteration { took: Duration::from_millis(milliseconds), outcome: Ok(()) }
}

fn failed() -> Iteration {
    Iteration { took: Duration::ZERO, outcome: Err(Failure::new("UnaryCall", "an answer", "none")) }
}

#[test]
fn every_iteration_is_somebodys() {
    assert_eq!([0, 1, 2].map(|worker| share(10, 3, worker)), [4, 3, 3]);
    assert_eq!([0, 1, 2].map(|worker| share(2, 3, worker)), [1, 1, 0]);
}

#[test]
fn slow_and_failed_iterations_count_against_the_same_limit() {
    let done = [took(50), took(101), failed()];
    let flags = ["--soak_iterations=3", "--soak_per_iteration_max_acceptable_latency_ms=100"];
    let judged = |allowed: &str| judge(options(&[&flags[..], &[allowed]].concat()), &done);
    assert_eq!(judged("--soak_max_failures=2"), Ok(()));
    let failure = judged("--soak_max_failures=1").unwrap_err();
    assert_eq!(failure.to_string(), "soak iterations that failed: expected at most 1, got 2");
}

#[test]
fn a_soak_that_runs_out_of_time_fails_even_if_every_call_succeeded() {
    let failure = judge(options(&["--soak_iterations", "2"]), &[took(1)]).unwrap_err();
    assert_eq!(failure.to_string(), "soak iterations: expected 2 within 10 s, got 1");
}

#[test]
fn a_flag_may_stand_alone_or_with_its_value_after_an_equals_sign_or_a_space() {
    for flags in [&["--use_tls"][..], &["--use_tls=true"], &["--use_tls", "true"]] {
        let options = ClientOptions::try_parse_from([&["client"], flags].concat()).unwrap();
        assert!(options.use_tls, "{flags:?}");
    }
}

#[test]
fn the_summary_names_the_median_the_ninetieth_and_the_worst() {
    let done: Vec<_> = (1..=100).map(took).collect();
    assert_eq!(summary(&done, 0), "soak: 100 iterations, 0 failed; p50 51 ms, p90 91 ms, worst 100 ms");
    assert_eq!(summary(&[], 0), "soak: 0 iterations, 0 failed; p50 0 ms, p90 0 ms, worst 0 ms");
}
