//! The Huffman code of RFC 7541, appendix B. It is canonical: the lengths say everything.

use std::sync::LazyLock;

use super::HpackError;

/// How many bits each byte's code has, and, last, the code that ends a string.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
    28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
    23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19,
    22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
    27, 27, 27, 26, 30,
];

const LONGEST: usize = 30;

/// The codes of one length: consecutive numbers, for these symbols in order.
#[derive(Clone, Debug, Default)]
struct Row {
    first: u32,
    symbols: Vec<u16>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut rows = vec![Row::default(); LONGEST + 1];
    let mut next = 0;
    for (length, row) in rows.iter_mut().enumerate() {
        next <<= 1;
        row.first = next;
        row.symbols = (0..257).filter(|&symbol| usize::from(LENGTHS[usize::from(symbol)]) == length).collect();
        next += row.symbols.len() as u32;
    }
    rows
});

/// The text behind a code. What is left over in the last byte must be ones.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<u8>, HpackError> {
    let mut text = Vec::with_capacity(bytes.len() * 2);
    let (mut code, mut length) = (0_u32, 0);
    for byte in bytes {
        for bit in (0..8).rev() {
            code = code << 1 | u32::from(byte >> bit & 1);
            length += 1;
            let row = ROWS.get(length).ok_or(HpackError::Huffman)?;
            let symbol = code.checked_sub(row.first).and_then(|index| row.symbols.get(index as usize));
            if let Some(&symbol) = symbol {
                text.push(u8::try_from(symbol).map_err(|_| HpackError::Huffman)?);
                (code, length) = (0, 0);
            }
        }
    }
    let padding_is_ones = code + 1 == 1 << length;
    if length < 8 && padding_is_ones { Ok(text) } else { Err(HpackError::Huffman) }
}
