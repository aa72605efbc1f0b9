//! Literals that came lately (RFC 7541 section 6.2.2). Encoders that put no paths into the table, as that of the h2 crate,
//! spell the same one out for each call: it is parsed once.

use crate::hpack::field::Field;

/// How many are kept.
const KEPT: usize = 4;

/// The last literals of fields whose name is in the static table.
#[derive(Debug, Default)]
pub(super) struct Recent {
    literals: [Option<Literal>; KEPT],
    /// The one to be replaced next.
    oldest: usize,
}

/// A literal as it came, and what it says.
#[derive(Debug)]
pub(super) struct Literal {
    bytes: Box<[u8]>,
    pub(super) field: Field,
    pub(super) size: usize,
}

impl Recent {
    /// The literal that the block begins with, if it came lately, and the rest of the block.
    #[inline]
    pub(super) fn find<'a>(&self, block: &'a [u8]) -> Option<(&Literal, &'a [u8])> {
        let (bytes, rest) = split(block)?;
        let known = self.literals.iter().flatten().find(|literal| *literal.bytes == *bytes)?;
        Some((known, rest))
    }

    /// Keeps the literal that the block begins with, if it is of the kind that is kept.
    pub(super) fn remember(&mut self, block: &[u8], field: Field, size: usize) {
        let Some((bytes, _)) = split(block) else { return };
        self.literals[self.oldest] = Some(Literal { bytes: bytes.into(), field, size });
        self.oldest = (self.oldest + 1) % KEPT;
    }
}

/// A literal without indexing at the front of a block, if its name is in the static table and each of its lengths takes
/// one byte: then its bytes always mean the same.
#[inline]
fn split(block: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[name, length], _) = block.split_first_chunk::<2>()?;
    let length = usize::from(length & 0x7f);
    ((1..0x0f).contains(&name) && length < 0x7f).then(|| block.split_at_checked(2 + length))?
}
