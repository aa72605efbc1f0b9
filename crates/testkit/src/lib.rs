//! What tests of gRPC clients and servers need: certificates made on the spot.

pub mod certs;
