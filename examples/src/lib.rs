//! What the examples share: a greeter whose methods an example replaces one by one, and lines for their transcripts.

mod cable;
mod greeter;

pub use cable::Cable;
pub use greeter::{Greeter, Handlers, Replies};

use thalweg::core::status::Code;
use thalweg_proto::demo::{HelloReply, HelloRequest};
use tonic::Status;

/// A request that greets `name`.
#[must_use]
pub fn hello(name: &str) -> HelloRequest {
    HelloRequest { name: name.into() }
}

/// A reply from nobody in particular.
#[must_use]
pub fn reply(message: impl Into<String>) -> HelloReply {
    HelloReply { message: message.into(), backend: String::new() }
}

/// The name of a status's code as gRPC's documents write it: `DEADLINE_EXCEEDED`.
#[must_use]
pub fn code(status: &Status) -> &'static str {
    Code::from_number(status.code() as u64).map_or("?", Code::name)
}

/// The code and the message of a status: `UNAVAILABLE: no backend ...`.
#[must_use]
pub fn line(status: &Status) -> String {
    format!("{}: {}", code(status), status.message())
}
