//! DATA (RFC 9113 section 6.1): bytes of messages.

use super::{Head, flags, kind};
use crate::error::Fault;

/// Where the padding of a DATA frame lies. All of it counts against the windows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Padding {
    /// Bytes before the data: 1 if the frame is padded, else 0.
    pub skip: usize,
    /// Bytes after the data.
    pub pad: usize,
}

/// Checks the head and finds the padding. `first` is the first byte of the payload, asked for only by padded frames;
/// `None` says that the payload is empty.
///
/// # Errors
/// A frame without a stream, and padding that does not fit.
#[inline]
pub fn padding(head: &Head, first: Option<u8>) -> Result<Padding, Fault> {
    head.on_a_stream()?;
    if !head.has(flags::PADDED) {
        return Ok(Padding::default());
    }
    let pad = usize::from(first.ok_or_else(|| head.too_short("padding"))?);
    if pad < head.len { Ok(Padding { skip: 1, pad }) } else { Err(head.too_much_padding(pad)) }
}

/// Appends the head of a frame whose payload, `len` bytes, the caller appends or sends itself.
#[inline]
pub fn write(stream: u32, len: usize, end: bool, out: &mut Vec<u8>) {
    Head { len, kind: kind::DATA, flags: if end { flags::END_STREAM } else { 0 }, stream }.write(out);
}
