//! HEADERS (RFC 9113 section 6.2): opens a stream, begins a response, or ends either with trailers.

use std::ops::Range;

use super::{Head, ID, continuation, flags, kind, word};
use crate::error::{Code, Fault, Violation};

/// A HEADERS frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Headers {
    /// Where in the payload the fragment of the header block lies.
    pub fragment: Range<usize>,
    /// Whether the sender's side of the stream ends with this block.
    pub end_stream: bool,
    /// Whether the block is whole; otherwise CONTINUATION follows.
    pub end_headers: bool,
    /// A rule that ends only the stream. The block is to be decoded all the same, or the HPACK states would differ.
    pub violation: Option<Violation>,
}

/// Reads a frame.
///
/// # Errors
/// A frame without a stream or too short for its fields, and padding that does not fit.
#[inline]
pub fn parse(head: &Head, payload: &[u8]) -> Result<Headers, Fault> {
    head.on_a_stream()?;
    let mut headers = Headers {
        fragment: 0..payload.len(),
        end_stream: head.has(flags::END_STREAM),
        end_headers: head.has(flags::END_HEADERS),
        violation: None,
    };
    if head.has(flags::PADDED | flags::PRIORITY) {
        strip(head, payload, &mut headers)?;
    }
    Ok(headers)
}

/// Takes padding and priority off the fragment. Of the priority, which RFC 9113 has given up, only the rule is kept that
/// a stream does not depend on itself.
fn strip(head: &Head, payload: &[u8], headers: &mut Headers) -> Result<(), Fault> {
    let (mut start, mut pad) = (0, 0);
    if head.has(flags::PADDED) {
        pad = usize::from(*payload.first().ok_or_else(|| head.too_short("padding"))?);
        start = 1;
    }
    if head.has(flags::PRIORITY) {
        let priority = payload.get(start..start + 5).ok_or_else(|| head.too_short("priority"))?;
        if word(priority) & ID == head.stream {
            let rule = head.describe("the stream depends on itself");
            headers.violation = Some(Violation::new(Code::PROTOCOL_ERROR, rule));
        }
        start += 5;
    }
    if start + pad > payload.len() {
        return Err(head.too_much_padding(pad));
    }
    headers.fragment = start..payload.len() - pad;
    Ok(())
}

/// Appends a header block: one frame if it fits into `max` bytes, else CONTINUATION for the rest.
#[inline]
pub fn write(stream: u32, block: &[u8], end_stream: bool, max: usize, out: &mut Vec<u8>) {
    let end = if end_stream { flags::END_STREAM } else { 0 };
    if block.len() <= max {
        Head { len: block.len(), kind: kind::HEADERS, flags: end | flags::END_HEADERS, stream }.write(out);
        out.extend_from_slice(block);
        return;
    }
    let (first, rest) = block.split_at(max);
    Head { len: max, kind: kind::HEADERS, flags: end, stream }.write(out);
    out.extend_from_slice(first);
    continuation::write(stream, rest, max, out);
}
