//! What one client process measured: a figure for each metric it knows of.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

use serde::{Deserialize, Serialize};

/// The figures of one client process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Sample(BTreeMap<Metric, f64>);

impl Sample {
    /// A figure; none if it was not measured.
    pub(crate) fn get(&self, metric: Metric) -> Option<f64> {
        self.0.get(&metric).copied()
    }

    /// What was measured, in the order of a report.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = Metric> {
        self.0.keys().copied()
    }
}

impl FromIterator<(Metric, f64)> for Sample {
    fn from_iter<T: IntoIterator<Item = (Metric, f64)>>(figures: T) -> Self {
        Self(figures.into_iter().collect())
    }
}

impl Display for Sample {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, (metric, figure)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{} {}", metric.title(), metric.text(*figure))?;
        }
        Ok(())
    }
}

/// What is measured, in the order of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    /// CPU time of the client's process per call, in microseconds.
    ClientCpuUs,
    /// CPU time of the server's process per call, in microseconds.
    ServerCpuUs,
    /// Calls that ended within the window, per second.
    CallsPerSecond,
    /// Median time of a call, in microseconds.
    P50Us,
    /// 99th percentile of the time of a call, in microseconds.
    P99Us,
    /// Calls for each time that the client's connection wrote to its socket.
    CallsPerWrite,
    /// Messages received for each second of CPU time of the client's process.
    MessagesPerCpuSecond,
    /// Messages received per second.
    MessagesPerSecond,
    /// Resident memory of the client's process for each call that waits for its answer, in bytes.
    CallBytes,
    /// Resident memory of the client's process for each idle connection, in KiB.
    ConnectionKib,
    /// What the resident memory of the client's process grew by over many calls, in MiB.
    GrowthMib,
    /// Time of a pick, from its arguments to its verdict, in nanoseconds.
    PickNs,
    /// Time of a pick and of telling whoever observes the call of its start and its end, in nanoseconds.
    CallNs,
    /// CPU time in which many endpoints become READY, one by one, in milliseconds.
    ReadyMs,
    /// CPU time in which a policy takes in a new list of endpoints, in milliseconds.
    UpdateMs,
}

impl Metric {
    /// What a table calls the figure, with its unit.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::ClientCpuUs => "client CPU µs/call",
            Self::ServerCpuUs => "server CPU µs/call",
            Self::CallsPerSecond => "calls/s",
            Self::P50Us => "p50 µs",
            Self::P99Us => "p99 µs",
            Self::CallsPerWrite => "calls/write",
            Self::MessagesPerCpuSecond => "messages/CPU s",
            Self::MessagesPerSecond => "messages/s",
            Self::CallBytes => "bytes/call",
            Self::ConnectionKib => "KiB/connection",
            Self::GrowthMib => "growth MiB",
            Self::PickNs => "pick ns",
            Self::CallNs => "pick and hooks ns",
            Self::ReadyMs | Self::UpdateMs => "CPU ms",
        }
    }

    /// A figure with as many digits as it is worth.
    pub(crate) fn text(self, figure: f64) -> String {
        let digits = match self {
            Self::ClientCpuUs | Self::ServerCpuUs | Self::GrowthMib | Self::UpdateMs => 2,
            Self::P50Us | Self::P99Us | Self::CallsPerWrite | Self::ConnectionKib | Self::PickNs | Self::CallNs => 1,
            Self::CallsPerSecond
            | Self::MessagesPerCpuSecond
            | Self::MessagesPerSecond
            | Self::CallBytes
            | Self::ReadyMs => 0,
        };
        format!("{figure:.digits$}")
    }
}
