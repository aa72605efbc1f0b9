//! The resolver of names that are addresses already: one answer, and nothing more to say.

use std::future;

use thalweg_core::endpoint::{Address, Endpoint};

use super::{ResolveError, Resolver, ResolverUpdate};
use crate::rt::BoxFuture;

/// Answers once; asked again, it stays silent, since the answer cannot change.
#[derive(Debug)]
pub(super) struct Fixed(Option<ResolverUpdate>);

impl Fixed {
    /// Resolves to these addresses, each an endpoint of its own.
    pub(super) fn new(addresses: impl IntoIterator<Item = impl Into<Address>>) -> Self {
        let endpoints = addresses.into_iter().map(|address| Endpoint::new([address])).collect();
        Self(Some(ResolverUpdate { endpoints, ..ResolverUpdate::default() }))
    }
}

impl Resolver for Fixed {
    fn next(&mut self) -> BoxFuture<'_, Result<ResolverUpdate, ResolveError>> {
        match self.0.take() {
            Some(update) => Box::pin(future::ready(Ok(update))),
            None => Box::pin(future::pending()),
        }
    }
}
