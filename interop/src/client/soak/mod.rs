//! `rpc_soak` and `channel_soak`: large unary calls in a row, on one channel or on a new one each time.

use std::time::Duration;

use thalweg_proto::interop::SimpleRequest;
use tokio::time::{self, Instant};
use tonic::Request;

use super::{
    expect::{Failure, answered, zeros},
    options::SoakOptions,
    target::{Stub, Target},
};
use crate::payload;

#[cfg(test)]
mod tests;

pub(super) async fn rpc(target: &Target) -> Result<(), Failure> {
    let stub = target.stub();
    soak(target.soak(), || Ok(stub.clone())).await
}

pub(super) async fn channel(target: &Target) -> Result<(), Failure> {
    soak(target.soak(), || target.fresh_stub()).await
}

/// What came of one iteration.
#[derive(Debug)]
struct Iteration {
    took: Duration,
    outcome: Result<(), Failure>,
}

async fn soak(options: SoakOptions, connect: impl Fn() -> Result<Stub, Failure>) -> Result<(), Failure> {
    let end = Instant::now() + Duration::from_secs(options.soak_overall_timeout_seconds);
    let workers = (0..options.soak_num_threads).map(|worker| {
        let share = share(options.soak_iterations, options.soak_num_threads, worker);
        iterate(options, share, end, &connect)
    });
    let done: Vec<_> = futures_util::future::join_all(workers).await.into_iter().flatten().collect();
    judge(options, &done)
}

/// How many of the iterations are a worker's.
fn share(iterations: usize, workers: usize, worker: usize) -> usize {
    iterations / workers + usize::from(worker < iterations % workers)
}

async fn iterate(
    options: SoakOptions,
    iterations: usize,
    end: Instant,
    connect: &impl Fn() -> Result<Stub, Failure>,
) -> Vec<Iteration> {
    let mut done = Vec::with_capacity(iterations);
    while done.len() < iterations && Instant::now() < end {
        let start = Instant::now();
        let outcome = call(options, end, connect).await;
        done.push(Iteration { took: start.elapsed(), outcome });
        time::sleep_until(start + Duration::from_millis(options.soak_min_time_ms_between_rpcs)).await;
    }
    done
}

async fn call(options: SoakOptions, end: Instant, connect: &impl Fn() -> Result<Stub, Failure>) -> Result<(), Failure> {
    let what = "UnaryCall";
    let mut request = Request::new(SimpleRequest {
        response_size: payload::wire_size(options.soak_response_size),
        payload: Some(payload::zeros(options.soak_request_size)),
        ..Default::default()
    });
    request.set_timeout(end.saturating_duration_since(Instant::now()));
    let response = answered(what, connect()?.unary_call(request).await)?;
    zeros(what, options.soak_response_size, response.into_inner().payload)
}

/// The second pass: reports every iteration, and counts those that failed or took too long.
fn judge(options: SoakOptions, done: &[Iteration]) -> Result<(), Failure> {
    let limit = Duration::from_millis(options.soak_per_iteration_max_acceptable_latency_ms);
    let mut failures = 0;
    for (number, Iteration { took, outcome }) in done.iter().enumerate() {
        let verdict = match outcome {
            Ok(()) if *took <= limit => "succeeded".to_owned(),
            Ok(()) => format!("exceeds max acceptable latency: {}", limit.as_millis()),
            Err(failure) => format!("failed: {failure}"),
        };
        failures += usize::from(verdict != "succeeded");
        eprintln!("soak iteration: {number} elapsed_ms: {} {verdict}", took.as_millis());
    }
    eprintln!("{}", summary(done, failures));
    if done.len() < options.soak_iterations {
        let expected = format!("{} within {} s", options.soak_iterations, options.soak_overall_timeout_seconds);
        return Err(Failure::new("soak iterations", expected, done.len().to_string()));
    }
    if failures > options.soak_max_failures {
        let expected = format!("at most {}", options.soak_max_failures);
        return Err(Failure::new("soak iterations that failed", expected, failures.to_string()));
    }
    Ok(())
}

fn summary(done: &[Iteration], failures: usize) -> String {
    let mut latencies: Vec<_> = done.iter().map(|iteration| iteration.took.as_millis()).collect();
    latencies.sort_unstable();
    let at = |percent: usize| latencies.get((latencies.len() * percent / 100).min(latencies.len().max(1) - 1));
    let [p50, p90, worst] = [50, 90, 100].map(|percent| at(percent).copied().unwrap_or_default());
    format!("soak: {} iterations, {failures} failed; p50 {p50} ms, p90 {p90} ms, worst {worst} ms", done.len())
}
