//! CONTINUATION (RFC 9113 section 6.10): the rest of a header block. The whole payload is its fragment.

use super::{Head, flags, kind};
use crate::error::Fault;

/// Reads a frame: whether the header block ends with it.
///
/// # Errors
/// A frame without a stream. That it follows the right frame is for the caller to check.
pub fn parse(head: &Head) -> Result<bool, Fault> {
    head.on_a_stream()?;
    Ok(head.has(flags::END_HEADERS))
}

/// Appends the rest of a header block, in frames of at most `max` bytes.
pub fn write(stream: u32, block: &[u8], max: usize, out: &mut Vec<u8>) {
    let mut fragments = block.chunks(max).peekable();
    while let Some(fragment) = fragments.next() {
        let flags = if fragments.peek().is_none() { flags::END_HEADERS } else { 0 };
        Head { len: fragment.len(), kind: kind::CONTINUATION, flags, stream }.write(out);
        out.extend_from_slice(fragment);
    }
}
