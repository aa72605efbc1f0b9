//! How a service is, in our words and in the wire's.

use std::fmt;

use thalweg_proto::health::{HealthCheckResponse, health_check_response::ServingStatus as Wire};

/// How a service is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ServingStatus {
    /// Nobody can say. Clients keep away, as from one that is not serving.
    Unknown,
    /// It takes calls.
    Serving,
    /// It takes no calls for now.
    NotServing,
}

impl ServingStatus {
    /// The status of a service by what it stands on.
    pub(super) fn of(ready: bool) -> Self {
        if ready { Self::Serving } else { Self::NotServing }
    }

    fn wire(self) -> Wire {
        match self {
            Self::Unknown => Wire::Unknown,
            Self::Serving => Wire::Serving,
            Self::NotServing => Wire::NotServing,
        }
    }
}

/// As gRPC writes it: `NOT_SERVING`.
impl fmt::Display for ServingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.wire().as_str_name())
    }
}

/// The message that says it; `None` is a service that nothing is known of.
pub(super) fn message(status: Option<ServingStatus>) -> HealthCheckResponse {
    let wire = status.map_or(Wire::ServiceUnknown, ServingStatus::wire);
    HealthCheckResponse { status: wire.into() }
}
