//! What a gRPC channel decides, without doing any of it.
//!
//! This crate owns the state machines and values behind a channel: names, service config, load-balancing policies,
//! subchannel backoff and deadlines. It never does I/O and knows no runtime, clock, lock, task or environment: time,
//! randomness and identity are arguments, so a run is a function of its seed and its events.
//!
//! Modules are listed in layers, top first; a module imports only from layers below its own.

pub mod health;
pub mod service_config;
pub mod subchannel;

pub mod lb;

pub mod target;

pub mod backoff;
pub mod connectivity;
pub mod deadline;
pub mod endpoint;
pub mod json;
pub mod metadata;
pub mod orca;

pub mod random;
pub mod status;
