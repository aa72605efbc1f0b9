//! HTTP/2 (RFC 9113) and HPACK (RFC 7541) for gRPC, without I/O: bytes and events in, bytes and events out.
//!
//! A connection has two halves that share nothing. The [`Sender`](send::Sender) turns calls into bytes; it lives behind a
//! short lock that every caller takes. The [`Receiver`](receive::Receiver) turns bytes into events; whoever reads the
//! socket owns it. Once per batch of frames they tell each other what happened: [`News`](exchange::News) go from the
//! sender to the receiver, [`Effects`](exchange::Effects) the other way.
//!
//! Nothing here reads a clock, starts a task, blocks or takes a lock. It knows gRPC where that saves work: what every
//! call says is parsed once and encoded once.
//!
//! Modules are listed in layers, top first; a module imports only from layers below its own.

pub mod receive;
pub mod send;

pub mod exchange;

pub mod head;

pub mod bdp;
pub mod budget;
pub mod flow;
pub mod hpack;
pub mod messages;
pub mod table;

pub mod frame;

pub mod fields;

pub mod config;
pub mod counters;

pub mod error;
