//! Tests of the closed loop, with callers that need no network.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::{runtime::Runtime, task::yield_now};

use super::{Books, Caller, Load, run, sample};
use crate::error::Error;

const BRIEF: Load =
    Load { concurrency: 3, warm_up: Duration::from_millis(1), window: Duration::from_millis(5), server: None };

#[derive(Clone)]
struct Willing;

impl Caller for Willing {
    async fn call(&mut self, _: &Bytes) -> Result<(), Error> {
        yield_now().await;
        Ok(())
    }
}

#[derive(Clone)]
struct Refusing;

impl Caller for Refusing {
    async fn call(&mut self, payload: &Bytes) -> Result<(), Error> {
        Err(Error::WrongReply { got: 0, want: payload.len() })
    }
}

#[test]
fn a_run_without_a_server_has_no_server_cpu() {
    let sample = run(&Runtime::new().unwrap(), &Willing, &Bytes::new(), &BRIEF).unwrap();
    assert!(sample.calls_per_second > 0.0);
    assert!(0.0 < sample.p50_us && sample.p50_us <= sample.p99_us, "{sample:?}");
    assert_eq!(sample.server_cpu_us, None);
}

#[test]
fn one_failed_call_fails_the_run() {
    let failed = run(&Runtime::new().unwrap(), &Refusing, &Bytes::from_static(b"four"), &BRIEF);
    assert!(matches!(failed, Err(Error::WrongReply { got: 0, want: 4 })), "{failed:?}");
}

#[test]
fn figures_are_per_call_and_in_microseconds() {
    let start = Instant::now();
    let ms = Duration::from_millis;
    let before = Books { at: start, client: ms(100), server: Some(ms(7)) };
    let after = Books { at: start + ms(500), client: ms(120), server: Some(ms(17)) };
    let mut latencies = Histogram::<u64>::new(3).unwrap();
    latencies.record_n(50_000, 990).unwrap();
    latencies.record_n(2_000_000, 10).unwrap();
    let sample = sample(&before, &after, &latencies).unwrap();
    assert!((sample.calls_per_second - 2000.0).abs() < 1e-6);
    assert!((sample.client_cpu_us - 20.0).abs() < 1e-6);
    assert!((sample.server_cpu_us.unwrap() - 10.0).abs() < 1e-6);
    assert!((sample.p50_us - 50.0).abs() < 0.1);
    assert!((sample.p99_us - 50.0).abs() < 0.1);
}

#[test]
fn a_window_without_calls_has_no_sample() {
    let books = Books { at: Instant::now(), client: Duration::ZERO, server: None };
    assert_eq!(sample(&books, &books, &Histogram::<u64>::new(3).unwrap()), None);
}
