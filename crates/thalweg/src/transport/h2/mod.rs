//! HTTP/2 by the h2 crate: the only place that names it.

pub(crate) mod client;
pub(crate) mod server;

mod error;
mod send;
