//! What one client process measured in one window.

use serde::{Deserialize, Serialize};

/// The figures of one window of load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Calls that ended within the window, per second.
    pub(crate) calls_per_second: f64,
    /// CPU time of the client's process per call, in microseconds.
    pub(crate) client_cpu_us: f64,
    /// CPU time of the server's process per call, in microseconds; none without a server.
    pub(crate) server_cpu_us: Option<f64>,
    /// Median time of a call, in microseconds.
    pub(crate) p50_us: f64,
    /// 99th percentile of the time of a call, in microseconds.
    pub(crate) p99_us: f64,
}

/// One figure of a [`Sample`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    /// [`Sample::client_cpu_us`].
    ClientCpu,
    /// [`Sample::server_cpu_us`].
    ServerCpu,
    /// [`Sample::calls_per_second`].
    CallsPerSecond,
    /// [`Sample::p50_us`].
    P50,
    /// [`Sample::p99_us`].
    P99,
}

impl Metric {
    /// All figures, in the order of a report.
    pub(crate) const ALL: [Self; 5] = [Self::ClientCpu, Self::ServerCpu, Self::CallsPerSecond, Self::P50, Self::P99];

    /// What a table calls the figure, with its unit.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::ClientCpu => "client CPU µs/call",
            Self::ServerCpu => "server CPU µs/call",
            Self::CallsPerSecond => "calls/s",
            Self::P50 => "p50 µs",
            Self::P99 => "p99 µs",
        }
    }

    /// What JSON calls the figure.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::ClientCpu => "client_cpu_us",
            Self::ServerCpu => "server_cpu_us",
            Self::CallsPerSecond => "calls_per_second",
            Self::P50 => "p50_us",
            Self::P99 => "p99_us",
        }
    }

    /// The figure in a sample; none if the sample has no server.
    pub(crate) fn of(self, sample: &Sample) -> Option<f64> {
        match self {
            Self::ClientCpu => Some(sample.client_cpu_us),
            Self::ServerCpu => sample.server_cpu_us,
            Self::CallsPerSecond => Some(sample.calls_per_second),
            Self::P50 => Some(sample.p50_us),
            Self::P99 => Some(sample.p99_us),
        }
    }
}
