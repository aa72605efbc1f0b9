//! HPACK (RFC 7541): an encoder that writes literals only, and a decoder that reads everything.

#[cfg(test)]
mod tests;

mod decoder;

mod huffman;
mod table;

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

pub use decoder::Decoder;

/// A header block that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum HpackError {
    /// The block ends in the middle of something.
    #[error("the header block is cut short")]
    Truncated,
    /// A number beyond all bounds.
    #[error("a number in the header block is too large")]
    Number,
    /// An index that is in neither table.
    #[error("no table entry has the index {0}")]
    Index(usize),
    /// A Huffman code that no symbol has.
    #[error("a string is not a Huffman code")]
    Huffman,
    /// A table larger than what was allowed.
    #[error("a dynamic table of {0} bytes was not allowed")]
    TableSize(usize),
}

/// Header fields in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Headers(pub Vec<(Bytes, Bytes)>);

impl Headers {
    /// The first value of this name, if there is one and it is text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(each, _)| each == name)?;
        std::str::from_utf8(value).ok()
    }

    /// All values of this name that are text.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.0.iter().filter(move |(each, _)| each == name);
        found.filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }
}

/// The header block of these fields: literals without indexing, so that the peer's table stays empty.
#[must_use]
pub fn encode(fields: &[(&str, &str)]) -> Bytes {
    let mut block = BytesMut::new();
    for (name, value) in fields {
        block.put_u8(0);
        put_string(&mut block, name.as_bytes());
        put_string(&mut block, value.as_bytes());
    }
    block.freeze()
}

fn put_string(block: &mut BytesMut, text: &[u8]) {
    put_number(block, text.len());
    block.put_slice(text);
}

/// A number with a prefix of seven bits, the eighth being zero.
fn put_number(block: &mut BytesMut, number: usize) {
    const LIMIT: usize = 0x7f;
    if number < LIMIT {
        block.put_u8(number as u8);
        return;
    }
    block.put_u8(LIMIT as u8);
    let mut rest = number - LIMIT;
    while rest >= 0x80 {
        block.put_u8((rest & LIMIT) as u8 | 0x80);
        rest >>= 7;
    }
    block.put_u8(rest as u8);
}
