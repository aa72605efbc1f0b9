//! Integers (RFC 7541 section 5.1): a prefix in the first byte, then seven bits a byte.

#[cfg(test)]
mod tests;

use super::broken;
use crate::error::Violation;

/// Bits that may follow the prefix: no length, index or size that is honest needs more.
const BITS: u32 = 28;

/// Reads an integer whose prefix is the low `prefix` bits of `first`; `rest` is what follows that byte. Returns what is
/// left.
#[inline]
pub(super) fn decode(first: u8, rest: &[u8], prefix: u32) -> Result<(usize, &[u8]), Violation> {
    let full = (1 << prefix) - 1;
    match first & full {
        value if value < full => Ok((usize::from(value), rest)),
        _ => continued(usize::from(full), rest),
    }
}

fn continued(mut value: usize, mut rest: &[u8]) -> Result<(usize, &[u8]), Violation> {
    for shift in (0..BITS).step_by(7) {
        let Some((&byte, after)) = rest.split_first() else {
            return Err(broken("HPACK: the block ends within an integer"));
        };
        value += usize::from(byte & 0x7f) << shift;
        rest = after;
        if byte & 0x80 == 0 {
            return Ok((value, rest));
        }
    }
    Err(broken("HPACK: an integer has more than 28 bits"))
}

/// Appends an integer. `flags` are the bits of the first byte above its prefix.
#[inline]
pub(super) fn encode(value: usize, prefix: u32, flags: u8, out: &mut Vec<u8>) {
    let full = (1 << prefix) - 1;
    if value < full {
        out.push(flags | value as u8);
        return;
    }
    out.push(flags | full as u8);
    let mut left = value - full;
    while left > 0x7f {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}
