//! A gRPC runtime for Rust: the stubs and services that `tonic-prost-build` generates, on a channel with a brain and a
//! server that owns its connections.
//!
//! ```no_run
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! let channel = thalweg::Channel::builder("dns:///greeter:50051").build()?;
//! // let mut client = GreeterClient::new(channel);
//! # let _ = channel; Ok(())
//! # }
//! ```
//!
//! Modules are listed in layers, top first; a module imports only from layers below its own.

pub mod channel;
pub mod server;

mod direct;

mod call;

pub mod registry;

mod control;

mod snapshot;

pub mod resolver;
mod subchannel;

pub mod transport;

pub mod config;
pub mod context;
pub mod request;

pub mod credentials;

pub mod io;

pub mod error;

mod env;
mod panics;
mod rt;

pub use channel::Channel;
pub use rt::BoxFuture;
pub use server::Server;
pub use thalweg_core as core;
