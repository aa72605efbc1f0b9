//! What a server under test says of its health, so that a client can check it.

use thalweg_proto::health::health_check_response::ServingStatus;

/// The service that is tested.
pub(crate) const WELL: (&str, ServingStatus) = ("grpc.testing.TestService", ServingStatus::Serving);
/// A service that takes no calls.
pub(crate) const ILL: (&str, ServingStatus) = ("grpc.testing.Ill", ServingStatus::NotServing);
/// A service that the server says nothing of.
pub(crate) const NOBODY: &str = "grpc.testing.Nobody";
