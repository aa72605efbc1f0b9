//! The client's health check of one subchannel as a machine (A17): what each answer of `Watch` and each end of it mean,
//! and when to ask again.
//!
//! Whoever runs the machine opens the streams and keeps the time. Answers without a stream change nothing.

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Instant};

use crate::{
    backoff::{Backoff, BackoffConfig},
    deadline,
    lb::event::Health,
    random::Random,
    status::{Code, Status},
};

/// What a server says of a service (`grpc.health.v1.HealthCheckResponse.ServingStatus`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServingStatus {
    /// It has not made up its mind.
    Unknown,
    /// Calls are welcome.
    Serving,
    /// They are not.
    NotServing,
    /// It does not know the service, at present.
    ServiceUnknown,
    /// A number that this client does not know.
    Other(i32),
}

impl ServingStatus {
    /// The status with this number on the wire.
    #[must_use]
    pub fn from_number(number: i32) -> Self {
        match number {
            0 => Self::Unknown,
            1 => Self::Serving,
            2 => Self::NotServing,
            3 => Self::ServiceUnknown,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for ServingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "UNKNOWN",
            Self::Serving => "SERVING",
            Self::NotServing => "NOT_SERVING",
            Self::ServiceUnknown => "SERVICE_UNKNOWN",
            Self::Other(number) => return write!(f, "the unheard-of status {number}"),
        })
    }
}

/// One stream, from its opening to its end.
#[derive(Clone, Copy, Debug)]
struct Stream {
    begun: Instant,
    answered: bool,
}

/// The health of one subchannel, as its server tells it.
///
/// It is `Pending` until the first answer and again whenever another stream is opened; `NotServing` between a stream that
/// ended and the next; `Serving` for good once the server has answered UNIMPLEMENTED.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    service: Arc<str>,
    health: Health,
    backoff: Backoff,
    stream: Option<Stream>,
}

impl HealthCheck {
    /// A check of `service`, empty for the server as a whole, that has not begun.
    #[must_use]
    pub fn new(service: Arc<str>, backoff: BackoffConfig) -> Self {
        Self { service, health: Health::Pending, backoff: Backoff::new(backoff), stream: None }
    }

    /// The service that is asked for.
    #[must_use]
    pub fn service(&self) -> &Arc<str> {
        &self.service
    }

    /// What is known.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// A stream is being opened.
    pub fn begun(&mut self, now: Instant) {
        self.stream = Some(Stream { begun: now, answered: false });
        self.health = Health::Pending;
    }

    /// The server has answered. Failures before that are forgotten.
    pub fn answered(&mut self, status: ServingStatus) {
        let Some(stream) = &mut self.stream else { return };
        stream.answered = true;
        self.backoff.reset();
        self.health = match status {
            ServingStatus::Serving => Health::Serving,
            other => Health::NotServing(self.describe(other).into()),
        };
    }

    /// The stream has ended with this status, OK included. When to open the next, never before `now`; `None`: not at all,
    /// because the server does not report its health.
    ///
    /// The backoff runs from the opening of the stream. So one that lasted is followed at once (A17), and a server that
    /// answers and hangs up, over and over, is asked once in `initial`.
    pub fn ended(&mut self, now: Instant, status: &Status, random: &mut Random) -> Option<Instant> {
        let stream = self.stream.take();
        if status.code() == Code::Unimplemented {
            self.health = Health::Serving;
            return None;
        }
        self.health = Health::NotServing(blame(status).into());
        let Some(Stream { begun, answered }) = stream else { return Some(now) };
        let wait = if answered { self.backoff.config().initial } else { self.backoff.next(random) };
        Some(deadline::from_now(begun, wait).max(now))
    }

    /// The words that follow the address in a call's error.
    fn describe(&self, status: ServingStatus) -> String {
        match (status, &*self.service) {
            (_, "") | (ServingStatus::NotServing, _) => format!("reports {status}"),
            (_, service) => format!("reports {status} for service {service:?}"),
        }
    }
}

fn blame(status: &Status) -> String {
    match (status.code(), &**status.message()) {
        (Code::Ok, _) => "the health watch failed: the server ended it".into(),
        (code, "") => format!("the health watch failed: {code}"),
        (code, message) => format!("the health watch failed: {code}: {message}"),
    }
}
