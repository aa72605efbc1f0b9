//! What one endpoint costs: its latency as it is told by calls, and the calls in flight. All of it atomics.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::Config;
use crate::{
    lb::picker::{CallEnd, CallObserver},
    status::Code,
};

/// A number that several threads read and change.
#[derive(Debug)]
struct Float(AtomicU64);

impl Float {
    fn new(value: f64) -> Self {
        Self(AtomicU64::new(value.to_bits()))
    }

    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    fn update(&self, change: impl Fn(f64) -> f64) {
        let changed = |bits| Some(change(f64::from_bits(bits)).to_bits());
        // It never gives `None`, so it never fails.
        let _ = self.0.fetch_update(Relaxed, Relaxed, changed);
    }
}

fn nanos(duration: Duration) -> f64 {
    duration.as_nanos() as f64
}

/// What all endpoints of a policy have in common: the beginning of time, and the configuration, in nanoseconds.
#[derive(Debug)]
pub(super) struct Tuning {
    origin: Instant,
    default_rtt: Float,
    decay: Float,
    failure_penalty: Float,
}

impl Tuning {
    pub(super) fn new(origin: Instant, config: &Config) -> Self {
        let tuning =
            Self { origin, default_rtt: Float::new(0.0), decay: Float::new(1.0), failure_penalty: Float::new(0.0) };
        tuning.set(config);
        tuning
    }

    /// From now on this configuration counts.
    pub(super) fn set(&self, config: &Config) {
        self.default_rtt.set(nanos(config.default_rtt));
        // A decay of zero would make 0/0 of no time at all.
        self.decay.set(nanos(config.decay).max(1.0));
        self.failure_penalty.set(nanos(config.failure_penalty));
    }

    /// A time in nanoseconds since the origin.
    pub(super) fn since_origin(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.origin).as_nanos() as u64
    }

    /// What is left of a weight after so many nanoseconds.
    fn left_after(&self, elapsed: u64) -> f64 {
        (-(elapsed as f64) / self.decay.get()).exp()
    }
}

/// What calls to one endpoint have told so far.
#[derive(Debug)]
pub struct Meter {
    tuning: Arc<Tuning>,
    /// The latency, in nanoseconds.
    estimate: Float,
    /// Up to when time has been weighed into the estimate, in nanoseconds since the origin.
    weighed: AtomicU64,
    /// When a call was last sent or last ended, in nanoseconds since the origin.
    touched: AtomicU64,
    in_flight: AtomicU64,
}

impl Meter {
    pub(super) fn new(tuning: Arc<Tuning>, now: Instant) -> Self {
        let meter = Self {
            tuning,
            estimate: Float::new(0.0),
            weighed: AtomicU64::new(0),
            touched: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
        };
        meter.begin_anew(now);
        meter
    }

    /// Forgets what calls have told; those in flight still count.
    pub(super) fn begin_anew(&self, now: Instant) {
        let now = self.tuning.since_origin(now);
        self.estimate.set(self.tuning.default_rtt.get());
        self.weighed.store(now, Relaxed);
        self.touched.store(now, Relaxed);
    }

    /// What one more call would cost, `now` nanoseconds since the origin.
    pub(super) fn cost(&self, tuning: &Tuning, now: u64) -> f64 {
        let silence = now.saturating_sub(self.touched.load(Relaxed));
        let latency = self.estimate.get() * tuning.left_after(silence);
        latency * (self.in_flight.load(Relaxed) as f64 + 1.0)
    }

    /// A call goes there, `now` nanoseconds since the origin.
    pub(super) fn touch(&self, now: u64) {
        self.touched.store(now, Relaxed);
    }

    /// Weighs a latency into the estimate, for the time that has not been weighed yet.
    ///
    /// Of calls that end at once on several threads each takes its own part of the time, so none counts twice.
    fn weigh(&self, latency: f64, at: u64) {
        let elapsed = at.saturating_sub(self.weighed.fetch_max(at, Relaxed));
        let left = self.tuning.left_after(elapsed);
        self.estimate.update(|estimate| estimate * left + latency * (1.0 - left));
    }

    /// The latency is at least this.
    fn raise(&self, latency: f64) {
        self.estimate.update(|estimate| estimate.max(latency));
    }
}

impl CallObserver for Meter {
    fn start(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    fn end(&self, end: &CallEnd<'_>) {
        self.in_flight.fetch_sub(1, Relaxed);
        if !end.sent {
            return;
        }
        let (at, latency) = (self.tuning.since_origin(end.at), nanos(end.latency));
        self.touched.fetch_max(at, Relaxed);
        self.raise(latency);
        match Told::by(end.code) {
            Told::Answered => self.weigh(latency, at),
            Told::Failed => self.weigh(latency.max(self.tuning.failure_penalty.get()), at),
            Told::GivenUp => {}
        }
    }
}

/// What the end of a call tells of its backend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    /// It did what it could, in this time.
    Answered,
    /// It did not do its work.
    Failed,
    /// Nobody waited for it any longer.
    GivenUp,
}

impl Told {
    fn by(code: Code) -> Self {
        match code {
            Code::Cancelled => Self::GivenUp,
            Code::Unknown
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => Self::Failed,
            Code::Ok
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unauthenticated => Self::Answered,
        }
    }
}
