//! The decoder: one for each direction of a connection.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Headers, HpackError, huffman, table};

/// What an entry costs beside its name and value.
const OVERHEAD: usize = 32;

/// Reads header blocks, one after the other.
#[derive(Debug)]
pub struct Decoder {
    /// The dynamic table, newest first.
    entries: VecDeque<(Bytes, Bytes)>,
    size: usize,
    limit: usize,
    /// How large we said that the table may get.
    allowed: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(4096)
    }
}

impl Decoder {
    /// A decoder whose table may take `allowed` bytes (SETTINGS_HEADER_TABLE_SIZE; 4096 unless settled otherwise).
    #[must_use]
    pub fn new(allowed: usize) -> Self {
        Self { entries: VecDeque::new(), size: 0, limit: allowed, allowed }
    }

    /// How many entries the dynamic table has.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries.len()
    }

    /// Reads one complete block.
    ///
    /// # Errors
    ///
    /// [`HpackError`]; the connection cannot go on after one.
    pub fn decode(&mut self, block: &[u8]) -> Result<Headers, HpackError> {
        let mut rest = Reader(block);
        let mut fields = Vec::new();
        while let Some(&first) = rest.0.first() {
            match first {
                0x80.. => fields.push(self.entry(rest.number(7)?)?),
                0x40..0x80 => {
                    let field = self.literal(&mut rest, 6)?;
                    self.insert(field.clone());
                    fields.push(field);
                }
                0x20..0x40 => self.resize(rest.number(5)?)?,
                0x00..0x20 => fields.push(self.literal(&mut rest, 4)?),
            }
        }
        Ok(Headers(fields))
    }

    fn literal(&self, rest: &mut Reader<'_>, prefix: u8) -> Result<(Bytes, Bytes), HpackError> {
        let name = match rest.number(prefix)? {
            0 => rest.string()?,
            index => self.entry(index)?.0,
        };
        Ok((name, rest.string()?))
    }

    fn entry(&self, index: usize) -> Result<(Bytes, Bytes), HpackError> {
        if let Some(&(name, value)) = index.checked_sub(1).and_then(|index| table::STATIC.get(index)) {
            return Ok((Bytes::from_static(name.as_bytes()), Bytes::from_static(value.as_bytes())));
        }
        let dynamic = index.checked_sub(table::STATIC.len() + 1).and_then(|index| self.entries.get(index));
        dynamic.cloned().ok_or(HpackError::Index(index))
    }

    fn insert(&mut self, field: (Bytes, Bytes)) {
        self.size += cost(&field);
        self.entries.push_front(field);
        self.evict();
    }

    fn resize(&mut self, limit: usize) -> Result<(), HpackError> {
        if limit > self.allowed {
            return Err(HpackError::TableSize(limit));
        }
        self.limit = limit;
        self.evict();
        Ok(())
    }

    fn evict(&mut self) {
        while self.size > self.limit {
            let Some(oldest) = self.entries.pop_back() else { return };
            self.size -= cost(&oldest);
        }
    }
}

fn cost((name, value): &(Bytes, Bytes)) -> usize {
    name.len() + value.len() + OVERHEAD
}

/// What is left of a block.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, HpackError> {
        let (&first, rest) = self.0.split_first().ok_or(HpackError::Truncated)?;
        self.0 = rest;
        Ok(first)
    }

    /// A number whose first `prefix` bits are in the next byte.
    fn number(&mut self, prefix: u8) -> Result<usize, HpackError> {
        let limit = (1_usize << prefix) - 1;
        let mut number = usize::from(self.byte()?) & limit;
        if number < limit {
            return Ok(number);
        }
        for shift in (0..28).step_by(7) {
            let byte = self.byte()?;
            number += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(HpackError::Number)
    }

    fn string(&mut self) -> Result<Bytes, HpackError> {
        let is_huffman = self.0.first().is_some_and(|first| first & 0x80 != 0);
        let length = self.number(7)?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(HpackError::Truncated)?;
        self.0 = rest;
        if is_huffman { huffman::decode(text).map(Bytes::from) } else { Ok(Bytes::copy_from_slice(text)) }
    }
}
