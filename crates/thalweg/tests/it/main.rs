//! Integration tests of the runtime: one binary, since linking is slow.

// A test that cannot go on may panic, in its helpers too.
#![allow(clippy::unwrap_used)]

mod client;
mod connector;
#[cfg(feature = "tls")]
mod credentials;
mod faults;
mod hostile;
mod resolver;
mod scaling;
mod server;
mod support;
mod wire;
