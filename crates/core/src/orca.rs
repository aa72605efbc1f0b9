//! A backend's load report, as a policy sees it (A51).

use std::{collections::BTreeMap, sync::Arc};

/// What a backend says of itself, per call or out of band.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LoadReport {
    /// CPU utilization, 0 and up (above 1 is possible).
    pub cpu_utilization: f64,
    /// Memory utilization, 0 to 1.
    pub memory_utilization: f64,
    /// Application-defined utilization, 0 and up.
    pub application_utilization: f64,
    /// Queries per second.
    pub rps_fractional: f64,
    /// Errors per second.
    pub eps: f64,
    /// What the call cost, by an application's own names (per call only).
    pub request_cost: BTreeMap<Arc<str>, f64>,
    /// Utilizations of an application's own resources, 0 to 1.
    pub utilization: BTreeMap<Arc<str>, f64>,
    /// An application's own metrics.
    pub named_metrics: BTreeMap<Arc<str>, f64>,
}
