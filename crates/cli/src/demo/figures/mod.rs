//! How figures are written: times, shares, percentiles.

#[cfg(test)]
mod tests;

use std::time::Duration;

use hdrhistogram::Histogram;

/// A backend's name, from its number.
pub(super) fn name(backend: usize) -> String {
    format!("backend-{}", backend + 1)
}

/// So many calls, in words.
pub(super) fn counted(calls: u64) -> String {
    if calls == 1 { "1 call".into() } else { format!("{calls} calls") }
}

/// A latency in three digits or so: `0.42ms`, `4.2ms`, `42ms`, `4.2s`. Nothing takes no time at all: zero is no latency.
pub(super) fn short(time: Duration) -> String {
    let ms = millis(time);
    match ms {
        0.0 => "-".into(),
        ..0.995 => format!("{ms:.2}ms"),
        ..9.95 => format!("{ms:.1}ms"),
        ..999.5 => format!("{ms:.0}ms"),
        _ => format!("{:.1}s", ms / 1000.0),
    }
}

/// A latency in milliseconds, to the microsecond.
pub(super) fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}

/// The share of a part in the whole, from 0 to 1; 0 of nothing.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// How latencies are distributed. All zero if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Percentiles {
    pub(super) p50: Duration,
    pub(super) p90: Duration,
    pub(super) p99: Duration,
    pub(super) max: Duration,
}

impl Percentiles {
    /// Of a histogram of microseconds.
    pub(super) fn of(micros: &Histogram<u64>) -> Self {
        if micros.is_empty() {
            return Self::default();
        }
        let at = |quantile| Duration::from_micros(micros.value_at_quantile(quantile));
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1.0) }
    }

    /// Each with its name, smallest first.
    pub(super) fn named(&self) -> [(&'static str, Duration); 4] {
        [("p50", self.p50), ("p90", self.p90), ("p99", self.p99), ("max", self.max)]
    }
}
