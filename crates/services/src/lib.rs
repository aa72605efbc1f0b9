//! Services that gRPC defines and a server offers beside its own, a feature each.
//!
//! * `health` (on by default): `grpc.health.v1`, how the services of a server are.

#[cfg(feature = "health")]
pub mod health;
