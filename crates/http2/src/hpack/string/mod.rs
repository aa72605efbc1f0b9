//! String literals (RFC 7541 section 5.2): a length, then bytes as they are or in Huffman's code.

#[cfg(test)]
mod tests;

use super::{broken, huffman, integer};
use crate::error::Violation;

/// The bit that says that the bytes are in Huffman's code.
const HUFFMAN: u8 = 0x80;

/// Reads a string; `scratch` is where it is decoded to if it is encoded. Returns what is left of `block` with it.
pub(super) fn decode<'text, 'block: 'text>(
    block: &'block [u8],
    scratch: &'text mut Vec<u8>,
) -> Result<(&'text [u8], &'block [u8]), Violation> {
    let Some((&first, rest)) = block.split_first() else {
        return Err(broken("HPACK: the block ends where a string is due"));
    };
    let (len, rest) = integer::decode(first, rest, 7)?;
    let Some((bytes, rest)) = rest.split_at_checked(len) else {
        return Err(broken("HPACK: the block ends within a string"));
    };
    if first & HUFFMAN == 0 {
        return Ok((bytes, rest));
    }
    scratch.clear();
    huffman::decode(bytes, scratch)?;
    Ok((scratch, rest))
}

/// Appends a string in the shorter of its two forms.
pub(super) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let len = huffman::encoded_len(bytes);
    if len < bytes.len() {
        integer::encode(len, 7, HUFFMAN, out);
        huffman::encode(bytes, out);
    } else {
        integer::encode(bytes.len(), 7, 0, out);
        out.extend_from_slice(bytes);
    }
}
