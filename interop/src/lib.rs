//! gRPC's interoperability client and server on thalweg, and the matrix that runs them against other implementations.
//!
//! The programs are `client`, `server`, `certs` and `matrix`; `interop/run` builds and starts the last.

pub mod matrix;

pub mod client;
pub mod server;

pub mod certs;
pub mod framing;
mod health;
pub mod payload;
