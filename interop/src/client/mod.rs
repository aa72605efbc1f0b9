//! The interoperability client: the official test cases on thalweg's channel, with the official flags.
//!
//! The cases are those of gRPC's `doc/interop-test-descriptions`; each asserts all that its description asserts. Some more,
//! `health_…`, are about the health service, and `file_…` are for a server of files that knows nothing of gRPC.

pub use case::run;
pub use expect::Failure;
pub use options::{ClientOptions, SoakOptions};

mod case;

mod cancel;
mod compression;
mod files;
mod health;
mod metadata;
mod soak;
mod status;
mod streaming;
mod unary;

mod target;

mod request;

mod expect;
mod options;
