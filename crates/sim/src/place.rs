//! Short names for addresses and endpoints.

use std::net::SocketAddr;

use thalweg_core::endpoint::{Address, Endpoint};

/// The address of this name: an IP address if it reads as one (`"[::1]:50051"`), else whatever the name says (`"a"`).
#[must_use]
pub fn address(name: &str) -> Address {
    name.parse::<SocketAddr>().map_or_else(|_| Address::Opaque(name.into()), Address::Tcp)
}

/// An endpoint with the addresses of these names.
#[must_use]
pub fn endpoint<S: AsRef<str>>(names: &[S]) -> Endpoint {
    Endpoint::new(names.iter().map(|name| address(name.as_ref())))
}
