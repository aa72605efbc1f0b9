//! GOAWAY (RFC 9113 section 6.8): no new streams, and why.

use super::{Head, ID, kind, word};
use crate::error::{Code, Fault};

/// A GOAWAY frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GoAway<'a> {
    /// Streams of the receiver's above this one were not processed.
    pub last_stream: u32,
    /// Why.
    pub code: Code,
    /// The sender's words, as bytes of no particular encoding.
    pub debug: &'a [u8],
}

/// Reads a frame.
///
/// # Errors
/// A frame with a stream, or too short.
pub fn parse<'a>(head: &Head, payload: &'a [u8]) -> Result<GoAway<'a>, Fault> {
    head.on_the_connection()?;
    let Some((fixed, debug)) = payload.split_first_chunk::<8>() else {
        let rule = format!("it has {} bytes of payload instead of at least 8", payload.len());
        return Err(head.offence(Code::FRAME_SIZE_ERROR, &rule));
    };
    Ok(GoAway { last_stream: word(fixed) & ID, code: Code(word(&fixed[4..])), debug })
}

impl GoAway<'_> {
    /// Appends the frame. The words are cut where they would make it larger than every peer accepts.
    pub fn write(self, out: &mut Vec<u8>) {
        let debug = &self.debug[..self.debug.len().min((1 << 14) - 8)];
        Head { len: 8 + debug.len(), kind: kind::GOAWAY, flags: 0, stream: 0 }.write(out);
        out.extend_from_slice(&self.last_stream.to_be_bytes());
        out.extend_from_slice(&self.code.0.to_be_bytes());
        out.extend_from_slice(debug);
    }
}
