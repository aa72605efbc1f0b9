//! What tests of gRPC clients and servers need: a network in memory with everything that goes wrong on one, a scripted
//! HTTP/2 peer that shares no code with what it tests, a server whose methods are closures, and certificates made on
//! the spot.
//!
//! Modules are listed in layers, top first.

pub mod network;
pub mod peer;
pub mod stub;

pub mod wire;

pub mod certs;
