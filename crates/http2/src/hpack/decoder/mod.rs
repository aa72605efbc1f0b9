//! Header blocks to fields (RFC 7541 sections 3 and 6).

mod recent;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use self::recent::Recent;
use super::{
    OVERHEAD, broken,
    dynamic_table::{self, DynamicTable},
    field::{Field, Name},
    integer, static_table, string,
};
use crate::error::Violation;

/// The static table, parsed when the first decoder is made.
static STATIC: LazyLock<[Entry; static_table::LEN]> = LazyLock::new(|| {
    static_table::ENTRIES.map(|(name, value)| Entry::new(Name::parse(name.as_bytes()), name.len(), value.as_bytes()))
});
/// What a block may leave behind in the memory for decoded strings, in bytes.
const KEPT: usize = 4096;

/// A field in one of the tables.
#[derive(Debug)]
struct Entry {
    field: Field,
    /// Name, value and overhead, in bytes.
    size: usize,
    name: Name,
    /// Bytes of the name.
    name_len: usize,
}

impl Entry {
    fn new(name: Name, name_len: usize, value: &[u8]) -> Self {
        let size = name_len + value.len() + OVERHEAD;
        Self { field: Field::parse(name.clone(), value), size, name, name_len }
    }
}

impl dynamic_table::Entry for Entry {
    fn size(&self) -> usize {
        self.size
    }
}

/// The state of one direction of a connection: its dynamic table.
#[derive(Debug)]
pub struct Decoder {
    fixed: &'static [Entry; static_table::LEN],
    dynamic: DynamicTable<Entry>,
    max_table_size: usize,
    recent: Recent,
    scratch: Vec<u8>,
    /// Changes of the dynamic table so far.
    generation: u64,
}

impl Decoder {
    /// A decoder that announced a SETTINGS_HEADER_TABLE_SIZE of `max_table_size` bytes.
    #[must_use]
    pub fn new(max_table_size: usize) -> Self {
        let (dynamic, recent) = (DynamicTable::new(max_table_size), Recent::default());
        Self { fixed: &STATIC, dynamic, max_table_size, recent, scratch: Vec::new(), generation: 0 }
    }

    /// Another one after each block that has changed the dynamic table: as long as it is the same, a block that leaves it
    /// as it is means what it meant.
    #[inline]
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Decodes a whole header block. Each field is told with its size: name, value and 32, in bytes.
    ///
    /// # Errors
    /// COMPRESSION_ERROR, after which the connection cannot go on.
    #[inline]
    pub fn decode(&mut self, block: &[u8], each: &mut impl FnMut(&Field, usize)) -> Result<(), Violation> {
        let mut rest = self.resize(block)?;
        while let Some((&first, after)) = rest.split_first() {
            rest = if first & 0x80 != 0 {
                let (index, after) = integer::decode(first, after, 7)?;
                let entry = self.entry(index)?;
                each(&entry.field, entry.size);
                after
            } else if first & 0x40 != 0 {
                let (entry, after) = self.indexed(first, after)?;
                each(&entry.field, entry.size);
                self.dynamic.insert(entry);
                self.generation += 1;
                after
            } else if first & 0x20 != 0 {
                return Err(broken("HPACK: the table's size changes after the first field of a block"));
            } else if let Some((known, after)) = self.recent.find(rest) {
                each(&known.field, known.size);
                after
            } else {
                let (field, size, after) = self.literal(first, after)?;
                each(&field, size);
                self.recent.remember(rest, field, size);
                after
            };
        }
        if self.scratch.capacity() > KEPT {
            self.scratch = Vec::new();
        }
        Ok(())
    }

    /// Obeys the size updates at the front of a block (section 6.3).
    #[inline]
    fn resize<'a>(&mut self, mut block: &'a [u8]) -> Result<&'a [u8], Violation> {
        while let Some((&first, after)) = block.split_first()
            && first & 0xe0 == 0x20
        {
            let (max, after) = integer::decode(first, after, 5)?;
            if max > self.max_table_size {
                let allowed = self.max_table_size;
                return Err(broken(format!("HPACK: a table of {max} bytes where {allowed} are allowed")));
            }
            self.dynamic.resize(max);
            self.generation += 1;
            block = after;
        }
        Ok(block)
    }

    #[inline]
    fn entry(&self, index: usize) -> Result<&Entry, Violation> {
        // Index 0 wraps around, and is in neither table.
        let at = index.wrapping_sub(1);
        let entry = if at < static_table::LEN { self.fixed.get(at) } else { self.dynamic.get(at - static_table::LEN) };
        entry.ok_or_else(|| broken(format!("HPACK: index {index} is in neither table")))
    }

    /// A literal that is to be inserted (section 6.2.1).
    fn indexed<'a>(&mut self, first: u8, rest: &'a [u8]) -> Result<(Entry, &'a [u8]), Violation> {
        let (name, name_len, rest) = self.name(first, rest, 6)?;
        let (value, rest) = string::decode(rest, &mut self.scratch)?;
        Ok((Entry::new(name, name_len, value), rest))
    }

    /// A literal that is not to be inserted, or never (sections 6.2.2 and 6.2.3), with its size.
    fn literal<'a>(&mut self, first: u8, rest: &'a [u8]) -> Result<(Field, usize, &'a [u8]), Violation> {
        let (name, name_len, rest) = self.name(first, rest, 4)?;
        let (value, rest) = string::decode(rest, &mut self.scratch)?;
        let (field, size) = (Field::parse(name, value), name_len + value.len() + OVERHEAD);
        let sensitive = first & 0x10 != 0;
        Ok((if sensitive { field.into_sensitive() } else { field }, size, rest))
    }

    /// The name of a literal, and its length: by its index, or spelt out if that is 0.
    fn name<'a>(&mut self, first: u8, rest: &'a [u8], prefix: u32) -> Result<(Name, usize, &'a [u8]), Violation> {
        let (index, rest) = integer::decode(first, rest, prefix)?;
        if index != 0 {
            let entry = self.entry(index)?;
            return Ok((entry.name.clone(), entry.name_len, rest));
        }
        let (name, rest) = string::decode(rest, &mut self.scratch)?;
        Ok((Name::parse(name), name.len(), rest))
    }
}
