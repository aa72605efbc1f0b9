//! WINDOW_UPDATE (RFC 9113 section 6.9): more bytes may be sent.

use super::{Head, ID, kind};
use crate::error::{Code, Fault};

/// Reads a frame: by how many bytes the window of its stream grows, or the connection's if that is 0.
///
/// # Errors
/// A wrong size, and no bytes at all: the latter ends the connection only if it is the connection's window.
pub fn parse(head: &Head, payload: &[u8]) -> Result<u32, Fault> {
    const NOTHING: &str = "it adds nothing to the window";
    match u32::from_be_bytes(head.exactly(payload)?) & ID {
        0 if head.stream == 0 => Err(head.offence(Code::PROTOCOL_ERROR, NOTHING)),
        0 => Err(head.stream_offence(Code::PROTOCOL_ERROR, NOTHING)),
        increment => Ok(increment),
    }
}

/// Appends a frame. `increment` is between 1 and 2^31 - 1.
pub fn write(stream: u32, increment: u32, out: &mut Vec<u8>) {
    Head { len: 4, kind: kind::WINDOW_UPDATE, flags: 0, stream }.write(out);
    out.extend_from_slice(&increment.to_be_bytes());
}
