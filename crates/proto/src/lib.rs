//! Messages and stubs that thalweg's own services, demo, benchmarks and interoperability tests speak.
//!
//! A feature per service, none on by default:
//!
//! * `demo`: package `thalweg.demo.v1`, a greeter with a method of each kind whose replies name the backend;
//! * `health`: package `grpc.health.v1`, gRPC's health service;
//! * `interop`: package `grpc.testing`, the services of gRPC's interoperability tests;
//! * `bench`: package `thalweg.bench.v1`, an echo service whose payloads are shared `Bytes`, never copied.
//!
//! Each is the module of the same name.
//!
//! The `.proto` files in `proto/` are the source; `cargo xtask codegen` writes `src/gen/` with tonic's generator, and
//! nothing else may change it. The clients have no `connect()`: give `new()` a thalweg `Channel`, or any other service.

// The generator decides how long its functions are and how it writes paths.
#![allow(clippy::too_many_lines, unused_qualifications)]

/// Package `thalweg.demo.v1`: a greeter with a method of each kind whose replies name the backend.
#[cfg(feature = "demo")]
pub mod demo {
    include!("gen/thalweg.demo.v1.rs");
}

/// Package `grpc.health.v1`: gRPC's health service.
#[cfg(feature = "health")]
pub mod health {
    include!("gen/grpc.health.v1.rs");
}

/// Package `grpc.testing`: the services of gRPC's interoperability tests.
#[cfg(feature = "interop")]
pub mod interop {
    include!("gen/grpc.testing.rs");
}

/// Package `thalweg.bench.v1`: an echo service with payloads of [`Bytes`](prost::bytes::Bytes).
#[cfg(feature = "bench")]
pub mod bench {
    include!("gen/thalweg.bench.v1.rs");
}
