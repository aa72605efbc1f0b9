//! Call credentials: what each call carries to prove who it is made for. A token source, called for each call or
//! cached until shortly before the token expires.

#[cfg(test)]
mod tests;

mod cached;

use std::{fmt::Debug, sync::Arc};

use tonic::{Status, metadata::MetadataMap};

use crate::rt::BoxFuture;

pub use cached::{CachedToken, Token, TokenSource};

/// What is known of a call when its credentials are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallContext<'a> {
    /// The request path: `/package.Service/Method`.
    pub method: &'a str,
    /// The authority of the call: `host[:port]`.
    pub authority: &'a str,
}

impl CallContext<'_> {
    /// The service's URL, which tokens name as their audience: `https://host/package.Service`, with the port unless it
    /// is 443.
    #[must_use]
    pub fn service_url(&self) -> String {
        let host = self.authority.strip_suffix(":443").unwrap_or(self.authority);
        let service = self.method.rsplit_once('/').map_or(self.method, |(service, _)| service);
        format!("https://{host}{service}")
    }
}

/// Gives each call metadata that says who it is made for.
///
/// A status it fails with ends the call, except that codes which belong to applications become INTERNAL (A54).
pub trait CallCredentials: Send + Sync + Debug + 'static {
    /// The metadata to add to this call. Dropping the future gives up; the call's deadline bounds its time.
    ///
    /// # Errors
    ///
    /// The status with which the call fails: UNAUTHENTICATED if there is no proof, UNAVAILABLE if it cannot be had now.
    fn metadata<'a>(&'a self, call: CallContext<'a>) -> BoxFuture<'a, Result<MetadataMap, Status>>;

    /// Must the connection be secure? If so (and so it is unless this says otherwise) calls over plaintext fail with
    /// UNAUTHENTICATED, and the credentials are not even asked.
    fn require_security(&self) -> bool {
        true
    }
}

/// Credentials that may be sent over plaintext: for tests, and for networks that are secured by other means.
#[derive(Clone, Debug)]
pub struct AllowInsecure<C>(pub C);

impl<C: CallCredentials> CallCredentials for AllowInsecure<C> {
    fn metadata<'a>(&'a self, call: CallContext<'a>) -> BoxFuture<'a, Result<MetadataMap, Status>> {
        self.0.metadata(call)
    }

    fn require_security(&self) -> bool {
        false
    }
}

impl<C: CallCredentials + ?Sized> CallCredentials for Arc<C> {
    fn metadata<'a>(&'a self, call: CallContext<'a>) -> BoxFuture<'a, Result<MetadataMap, Status>> {
        (**self).metadata(call)
    }

    fn require_security(&self) -> bool {
        (**self).require_security()
    }
}
