//! Tests of the closed loop, with callers that need no network.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::{runtime::Runtime, task::yield_now};

use super::{Books, Caller, Load, Unit, run, sample};
use crate::{
    error::Error,
    sample::{Metric, Sample},
};

const BRIEF: Load =
    Load { concurrency: 3, warm_up: Duration::from_millis(1), window: Duration::from_millis(5), server: None };

struct Willing;

impl Caller for Willing {
    async fn call(&mut self, _: &Bytes) -> Result<(), Error> {
        yield_now().await;
        Ok(())
    }
}

struct Refusing;

impl Caller for Refusing {
    async fn call(&mut self, payload: &Bytes) -> Result<(), Error> {
        Err(Error::WrongReply { got: 0, want: payload.len() })
    }
}

#[test]
fn a_run_without_a_server_has_no_server_cpu() {
    let sample = run(&Runtime::new().unwrap(), || Willing, &Bytes::new(), &BRIEF).unwrap();
    assert!(sample.get(Metric::CallsPerSecond).unwrap() > 0.0);
    let (p50, p99) = (sample.get(Metric::P50Us).unwrap(), sample.get(Metric::P99Us).unwrap());
    assert!(0.0 < p50 && p50 <= p99, "{sample:?}");
    assert_eq!(sample.get(Metric::ServerCpuUs), None);
    assert_eq!(sample.get(Metric::CallsPerWrite), None);
}

#[test]
fn one_failed_call_fails_the_run() {
    let failed = run(&Runtime::new().unwrap(), || Refusing, &Bytes::from_static(b"four"), &BRIEF);
    assert!(matches!(failed, Err(Error::WrongReply { got: 0, want: 4 })), "{failed:?}");
}

/// Half a second in which the client used 20 ms, the server 10 ms, and the connection wrote 100 times.
fn books() -> (Books, Books) {
    let start = Instant::now();
    let ms = Duration::from_millis;
    let before = Books { at: start, client: ms(100), server: Some(ms(7)), writes: Some(50) };
    let after = Books { at: start + ms(500), client: ms(120), server: Some(ms(17)), writes: Some(150) };
    (before, after)
}

/// A thousand calls.
fn latencies() -> Histogram<u64> {
    let mut latencies = Histogram::new(3).unwrap();
    latencies.record_n(50_000, 990).unwrap();
    latencies.record_n(2_000_000, 10).unwrap();
    latencies
}

fn assert_close(sample: &Sample, metric: Metric, wanted: f64) {
    let got = sample.get(metric).unwrap_or_else(|| panic!("{sample:?} has no {metric:?}"));
    assert!((got - wanted).abs() <= wanted * 1e-3, "{metric:?} is {got}, not {wanted}");
}

#[test]
fn figures_are_per_call_and_in_microseconds() {
    let (before, after) = books();
    let sample = sample(Unit::Call, &before, &after, &latencies()).unwrap();
    assert_close(&sample, Metric::CallsPerSecond, 2000.0);
    assert_close(&sample, Metric::ClientCpuUs, 20.0);
    assert_close(&sample, Metric::ServerCpuUs, 10.0);
    assert_close(&sample, Metric::P50Us, 50.0);
    assert_close(&sample, Metric::P99Us, 50.0);
    assert_close(&sample, Metric::CallsPerWrite, 10.0);
}

#[test]
fn messages_are_counted_for_each_second_of_cpu_time() {
    let (before, after) = books();
    let sample = sample(Unit::Messages(64), &before, &after, &latencies()).unwrap();
    assert_close(&sample, Metric::MessagesPerCpuSecond, 3_200_000.0);
    assert_close(&sample, Metric::MessagesPerSecond, 128_000.0);
    assert_eq!(sample.metrics().count(), 2);
}

#[test]
fn a_window_without_calls_has_no_sample() {
    let books = Books { at: Instant::now(), client: Duration::ZERO, server: None, writes: None };
    assert_eq!(sample(Unit::Call, &books, &books, &Histogram::<u64>::new(3).unwrap()), None);
}
