//! Huffman's code (RFC 7541 section 5.2 and appendix B).
//!
//! The code is canonical: codes of the same length are consecutive numbers in the order of their symbols, and longer codes
//! follow shorter ones. So the lengths say it all, and everything else here is computed from them at compile time.

#[cfg(test)]
mod tests;

use super::broken;
use crate::error::Violation;

/// Bytes, and the end of the string.
const SYMBOLS: usize = 257;
const END: usize = 256;
/// Bits of the longest code.
const LONGEST: usize = 30;
/// Codes up to this many bits are looked up at once: all letters, digits and what is common between them.
const SHORT: usize = 8;

/// Bits of each symbol's code (appendix B).
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

static LAYOUT: Layout = Layout::compute();
/// By the next eight bits: the symbol and its length, or length 0 if its code is longer.
static BY_BYTE: [(u8, u8); 1 << SHORT] = by_byte();

/// What the lengths make of the code.
struct Layout {
    /// Each symbol's code, in its low bits.
    codes: [u32; SYMBOLS],
    /// All symbols in the order of their codes.
    order: [u16; SYMBOLS],
    /// By length: the first code, and the place of its symbol in the order.
    first: [(u32, usize); LONGEST + 1],
    /// By length: the end of its codes and of all shorter ones, on the scale of the longest.
    limit: [u32; LONGEST + 1],
}

impl Layout {
    const fn compute() -> Self {
        let mut layout =
            Self { codes: [0; SYMBOLS], order: [0; SYMBOLS], first: [(0, 0); LONGEST + 1], limit: [0; LONGEST + 1] };
        let (mut code, mut place, mut len) = (0, 0, 1);
        while len <= LONGEST {
            code <<= 1;
            layout.first[len] = (code, place);
            let mut symbol = 0;
            while symbol < SYMBOLS {
                if LENGTHS[symbol] as usize == len {
                    layout.codes[symbol] = code;
                    layout.order[place] = symbol as u16;
                    code += 1;
                    place += 1;
                }
                symbol += 1;
            }
            layout.limit[len] = code << (LONGEST - len);
            len += 1;
        }
        layout
    }
}

const fn by_byte() -> [(u8, u8); 1 << SHORT] {
    let mut table = [(0, 0); 1 << SHORT];
    let mut symbol = 0;
    while symbol < END {
        let len = LENGTHS[symbol] as usize;
        if len <= SHORT {
            let free = SHORT - len;
            let mut fill = 0;
            while fill < 1 << free {
                table[(LAYOUT.codes[symbol] as usize) << free | fill] = (symbol as u8, LENGTHS[symbol]);
                fill += 1;
            }
        }
        symbol += 1;
    }
    table
}

/// Appends what `code` stands for.
pub(super) fn decode(code: &[u8], out: &mut Vec<u8>) -> Result<(), Violation> {
    let mut code = code.iter();
    // The next `held` bits of the string are the highest of `bits`; below them are zeros.
    let (mut bits, mut held) = (0_u64, 0);
    loop {
        if held < LONGEST as u32 {
            while held <= 56
                && let Some(&byte) = code.next()
            {
                bits |= u64::from(byte) << (56 - held);
                held += 8;
            }
        }
        let (symbol, len) = match BY_BYTE[(bits >> 56) as usize] {
            (_, 0) => long(bits),
            (symbol, len) => (usize::from(symbol), u32::from(len)),
        };
        if len > held {
            return padding(bits, held);
        }
        if symbol == END {
            return Err(broken("HPACK: a Huffman string spells out its end"));
        }
        out.push(symbol as u8);
        bits <<= len;
        held -= len;
    }
}

/// The symbol at the front of `bits`, and the length of its code, if that is longer than [`SHORT`].
fn long(bits: u64) -> (usize, u32) {
    let front = (bits >> (64 - LONGEST)) as u32;
    let mut len = SHORT + 1;
    // The last limit is 2^30: there is no front above it.
    while front >= LAYOUT.limit[len] {
        len += 1;
    }
    let (first, place) = LAYOUT.first[len];
    let symbol = LAYOUT.order[place + ((front >> (LONGEST - len)) - first) as usize];
    (usize::from(symbol), len as u32)
}

/// Checks the bits after the last symbol: the beginning of the end's code, all ones, shorter than a byte.
fn padding(bits: u64, held: u32) -> Result<(), Violation> {
    if held > 7 {
        return Err(broken("HPACK: a Huffman string has a byte of padding or ends within a symbol"));
    }
    if bits.leading_ones() != held {
        return Err(broken("HPACK: the padding of a Huffman string is not all ones"));
    }
    Ok(())
}

/// Bytes that the code for `bytes` takes.
pub(super) fn encoded_len(bytes: &[u8]) -> usize {
    bytes.iter().map(|&byte| usize::from(LENGTHS[usize::from(byte)])).sum::<usize>().div_ceil(8)
}

/// Appends the code for `bytes`.
pub(super) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    // The lowest `held` bits wait to be written.
    let (mut bits, mut held) = (0_u64, 0_u32);
    for &byte in bytes {
        let len = LENGTHS[usize::from(byte)];
        bits = bits << len | u64::from(LAYOUT.codes[usize::from(byte)]);
        held += u32::from(len);
        if held >= 32 {
            held -= 32;
            out.extend_from_slice(&((bits >> held) as u32).to_be_bytes());
        }
    }
    let padding = held.wrapping_neg() % 8;
    bits = (bits << padding) | ((1 << padding) - 1);
    held += padding;
    while held > 0 {
        held -= 8;
        out.push((bits >> held) as u8);
    }
}
