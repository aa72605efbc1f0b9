//! RST_STREAM (RFC 9113 section 6.4): the end of a stream at once, in both directions.

use super::{Head, kind};
use crate::error::{Code, Fault};

/// Reads a frame: why the stream ends.
///
/// # Errors
/// A frame without a stream, or of a wrong size.
pub fn parse(head: &Head, payload: &[u8]) -> Result<Code, Fault> {
    head.on_a_stream()?;
    Ok(Code(u32::from_be_bytes(head.exactly(payload)?)))
}

/// Appends a frame.
pub fn write(stream: u32, code: Code, out: &mut Vec<u8>) {
    Head { len: 4, kind: kind::RST_STREAM, flags: 0, stream }.write(out);
    out.extend_from_slice(&code.0.to_be_bytes());
}
