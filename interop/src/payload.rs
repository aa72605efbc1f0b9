//! Payloads of zeros, and the sizes that the test descriptions prescribe.

use thalweg_proto::interop::{BoolValue, Payload};

/// The payload of a large request, in bytes.
pub const LARGE_REQUEST: usize = 271_828;
/// The payload asked for in a large response, in bytes.
pub const LARGE_RESPONSE: usize = 314_159;
/// The payloads of the requests of a stream, in bytes.
pub const REQUESTS: [usize; 4] = [27_182, 8, 1_828, 45_904];
/// The payloads of the responses of a stream, in bytes.
pub const RESPONSES: [usize; 4] = [31_415, 9, 2_653, 58_979];

/// The payload of the message in a small file of a file server, in bytes.
pub const FILE: usize = 64;
/// The payload of the message in a large file, in bytes: beyond every window that a connection starts with.
pub const LARGE_FILE: usize = 3 << 20;

/// The metadata key that a server echoes in front of its response.
pub const ECHO_INITIAL: &str = "x-grpc-test-echo-initial";
/// The metadata key that a server echoes behind its response.
pub const ECHO_TRAILING: &str = "x-grpc-test-echo-trailing-bin";

/// A payload of `size` zeros.
pub fn zeros(size: usize) -> Payload {
    Payload { body: vec![0; size] }
}

/// The message that holds a boolean which may be absent.
pub fn flag(value: bool) -> Option<BoolValue> {
    Some(BoolValue { value })
}

/// A size as the messages carry it; one beyond `i32` cannot be asked for and becomes the largest that can.
pub fn wire_size(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}
