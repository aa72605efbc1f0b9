//! PRIORITY (RFC 9113 section 6.3): checked and otherwise ignored, as RFC 9113 has given priorities up.

use super::{Head, ID, word};
use crate::error::{Code, Fault};

/// Checks a frame.
///
/// # Errors
/// A frame without a stream; for the stream alone, a wrong size and a stream that depends on itself.
pub fn parse(head: &Head, payload: &[u8]) -> Result<(), Fault> {
    head.on_a_stream()?;
    if payload.len() != 5 {
        let rule = format!("it has {} bytes of payload instead of 5", payload.len());
        return Err(head.stream_offence(Code::FRAME_SIZE_ERROR, &rule));
    }
    if word(payload) & ID == head.stream {
        return Err(head.stream_offence(Code::PROTOCOL_ERROR, "the stream depends on itself"));
    }
    Ok(())
}
