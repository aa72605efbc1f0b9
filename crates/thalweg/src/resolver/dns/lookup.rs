//! What the resolver asks of a name system, and the operating system's own as the plainest one.

use std::{fmt::Debug, net::IpAddr, sync::Arc, time::Duration};

use crate::{error::connect::describe_io, resolver::ResolveError, rt::BoxFuture};

/// The addresses of a host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    /// All of them, of both families, best first; never empty.
    pub(super) addresses: Vec<IpAddr>,
    /// How long they stay valid, if the name system says so.
    pub(super) ttl: Option<Duration>,
}

/// A name system.
pub(super) trait Lookup: Send + Sync + Debug + 'static {
    /// The addresses of `host`. It is enough if one family has any.
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Answer, ResolveError>>;

    /// The TXT records of `name`, each with its strings joined; empty if there are none.
    fn txt<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<String>, ResolveError>>;
}

/// The operating system's resolver: knows neither TTLs nor TXT records.
#[derive(Clone, Copy, Debug)]
pub(super) struct System;

impl Lookup for System {
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Answer, ResolveError>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await.map_err(|e| failed(host, describe_io(&e)))?;
            let addresses: Vec<_> = found.map(|address| address.ip()).collect();
            if addresses.is_empty() { Err(no_address(host)) } else { Ok(Answer { addresses, ttl: None }) }
        })
    }

    fn txt<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<String>, ResolveError>> {
        Box::pin(async move { Err(failed(name, "the operating system's resolver gives no TXT records")) })
    }
}

/// The look-up of `host` failed for `reason`.
pub(super) fn failed(host: &str, reason: impl Into<Arc<str>>) -> ResolveError {
    ResolveError::Lookup { host: host.into(), reason: reason.into() }
}

/// There is such a name as `host`, but nothing to connect to.
pub(super) fn no_address(host: &str) -> ResolveError {
    failed(host, "it has no IPv4 or IPv6 address")
}
