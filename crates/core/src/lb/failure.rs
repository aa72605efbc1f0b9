//! Why no backend can serve a call: one story out of many failures.

use std::{fmt, sync::Arc, time::Instant};

use crate::{
    endpoint::Address,
    status::{Code, Status},
};

/// How many backends a story names before it says "and N more".
const NAMED: usize = 8;

/// Why one address cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackendFailure {
    /// The address.
    pub address: Address,
    /// What went wrong there ("connection refused").
    pub reason: Arc<str>,
    /// When the next attempt is due, if one is planned.
    pub retry_at: Option<Instant>,
}

/// Why a pick failed: a status, or the backends that were tried and what each answered. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The same for every backend ("the resolver returned no addresses").
    Status(Status),
    /// Every backend failed on its own; the call ends with UNAVAILABLE.
    Backends {
        /// The first few, in the order they were tried.
        named: Arc<[BackendFailure]>,
        /// How many there are beyond the named ones.
        more: usize,
    },
}

impl Failure {
    /// These backends failed; the first eight are kept, the rest counted.
    #[must_use]
    pub fn of(backends: impl IntoIterator<Item = BackendFailure>) -> Self {
        let mut backends = backends.into_iter();
        let named = backends.by_ref().take(NAMED).collect();
        Self::Backends { named, more: backends.count() }
    }

    /// One story out of several (of a parent's children). A status among them gives way to named backends.
    #[must_use]
    pub fn merged(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        let (mut status, mut backends, mut beyond) = (None, vec![], 0);
        for failure in all {
            match failure {
                Self::Status(s) => status = status.or(Some(s)),
                Self::Backends { named, more } => {
                    backends.extend(named.iter().cloned());
                    beyond += more;
                }
            }
        }
        if backends.is_empty() {
            return status.map(Self::Status);
        }
        Some(match Self::of(backends) {
            Self::Backends { named, more } => Self::Backends { named, more: more + beyond },
            other @ Self::Status(_) => other,
        })
    }

    /// The same story about `count` more backends than it names.
    #[must_use]
    pub fn and_more(self, count: usize) -> Self {
        match self {
            Self::Backends { named, more } => Self::Backends { named, more: more + count },
            status @ Self::Status(_) => status,
        }
    }

    /// The code with which a call ends.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Status(status) => status.code(),
            Self::Backends { .. } => Code::Unavailable,
        }
    }

    /// Displays the story as of `now`: "10.0.0.1:50051 connection refused (next attempt in 1.4s)".
    #[must_use]
    pub fn at(&self, now: Instant) -> impl fmt::Display {
        Story { failure: self.clone(), now }
    }
}

struct Story {
    failure: Failure,
    now: Instant,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (named, more) = match &self.failure {
            Failure::Status(status) => return f.write_str(status.message()),
            Failure::Backends { named, more } => (named, *more),
        };
        for (i, backend) in named.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{} {}", backend.address, backend.reason)?;
        }
        if more > 0 {
            write!(f, "; and {more} more")?;
        }
        if let Some(at) = named.iter().filter_map(|b| b.retry_at).filter(|at| *at > self.now).min() {
            write!(f, " (next attempt in {:.1}s)", (at - self.now).as_secs_f64())?;
        }
        Ok(())
    }
}
