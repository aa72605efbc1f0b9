//! Fields to header blocks (RFC 7541 sections 3 and 6).

#[cfg(test)]
mod tests;

use super::{
    DEFAULT_TABLE_SIZE, OVERHEAD,
    dynamic_table::{self, DynamicTable},
    hash::hash,
    integer, static_table, string,
};

/// Fields that are remembered as seen once.
const SEEN: usize = 64;

/// Whether a field may enter the dynamic table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Indexing {
    /// At once.
    Always,
    /// When the same name and value are seen for the second time: a value that each call has for itself would only push
    /// out what others share.
    Second,
    /// Neither by us nor by whoever forwards it: its value is sensitive.
    Never,
    /// Not by us, and it is not looked for there either.
    Not,
}

/// A field in the dynamic table.
#[derive(Debug)]
struct Entry {
    name_hash: u64,
    /// Of name and value.
    hash: u64,
    /// The name, then the value.
    text: Box<[u8]>,
    name_len: usize,
}

impl dynamic_table::Entry for Entry {
    fn size(&self) -> usize {
        self.text.len() + OVERHEAD
    }
}

impl Entry {
    fn new(wanted: &Wanted<'_>) -> Self {
        let text = [wanted.name, wanted.value].concat().into_boxed_slice();
        Self { name_hash: wanted.name_hash, hash: wanted.hash, text, name_len: wanted.name.len() }
    }

    fn is_named(&self, wanted: &Wanted<'_>) -> bool {
        self.name_hash == wanted.name_hash && self.text[..self.name_len] == *wanted.name
    }

    fn is(&self, wanted: &Wanted<'_>) -> bool {
        self.hash == wanted.hash && self.is_named(wanted) && self.text[self.name_len..] == *wanted.value
    }
}

/// A field to encode.
struct Wanted<'a> {
    name: &'a [u8],
    value: &'a [u8],
    name_hash: u64,
    hash: u64,
}

/// What the tables have of a field, by its index.
enum Found {
    Field(usize),
    Name(usize),
    Nothing,
}

/// Sizes of the table that the peer has not been told of.
#[derive(Clone, Copy, Debug)]
struct Resize {
    /// The smallest since the last block.
    least: usize,
    last: usize,
}

/// The state of one direction of a connection: its dynamic table.
#[derive(Debug)]
pub struct Encoder {
    table: DynamicTable<Entry>,
    resize: Option<Resize>,
    /// Hashes of fields, each at the place that it says itself.
    seen: [u64; SEEN],
    generation: u64,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// An encoder for a peer with the default table size.
    #[must_use]
    pub fn new() -> Self {
        Self { table: DynamicTable::new(DEFAULT_TABLE_SIZE), resize: None, seen: [0; SEEN], generation: 0 }
    }

    /// Obeys the peer's SETTINGS_HEADER_TABLE_SIZE, in bytes, from the next block on; more than the default is not used.
    pub fn set_max_size(&mut self, max: usize) {
        let last = max.min(DEFAULT_TABLE_SIZE);
        if self.resize.is_none() && last == self.table.max() {
            return;
        }
        let least = self.resize.map_or(last, |earlier| earlier.least.min(last));
        self.resize = Some(Resize { least, last });
        self.generation += 1;
    }

    /// Begins a header block: tells the peer what became of the table's size (section 4.2).
    #[inline]
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        if let Some(Resize { least, last }) = self.resize.take() {
            if least < last {
                self.tell_size(least, out);
            }
            self.tell_size(last, out);
        }
    }

    fn tell_size(&mut self, max: usize, out: &mut Vec<u8>) {
        integer::encode(max, 5, 0x20, out);
        self.table.resize(max);
        self.generation += 1;
    }

    /// Changes whenever an index may have come to mean another entry, and whenever a block said what must be said once. A
    /// block is fit to be sent again as long as this is what it was before [`begin`](Self::begin) and after its last field.
    #[inline]
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Appends a field. `name` is in lower case.
    pub fn field(&mut self, out: &mut Vec<u8>, name: &[u8], value: &[u8], indexing: Indexing) {
        let name_hash = hash(name, 0);
        let wanted = Wanted { name, value, name_hash, hash: hash(value, name_hash) };
        let name_index = match self.find(&wanted, indexing) {
            Found::Field(index) if indexing != Indexing::Never => return integer::encode(index, 7, 0x80, out),
            Found::Field(index) | Found::Name(index) => index,
            Found::Nothing => 0,
        };
        let enters = self.enters(&wanted, indexing);
        match (enters, indexing) {
            (true, _) => integer::encode(name_index, 6, 0x40, out),
            (false, Indexing::Never) => integer::encode(name_index, 4, 0x10, out),
            (false, _) => integer::encode(name_index, 4, 0, out),
        }
        if name_index == 0 {
            string::encode(name, out);
        }
        string::encode(value, out);
        if enters {
            self.table.insert(Entry::new(&wanted));
            self.generation += 1;
        }
    }

    fn find(&self, wanted: &Wanted<'_>, indexing: Indexing) -> Found {
        let first = static_table::find_name(wanted.name, wanted.name_hash);
        if let Some(index) = first.and_then(|first| static_table::find_value(first, wanted.value)) {
            return Found::Field(index);
        }
        let mut found = first.map_or(Found::Nothing, Found::Name);
        if indexing == Indexing::Not {
            return found;
        }
        for (entry, index) in self.table.iter().zip(static_table::LEN + 1..) {
            if entry.is(wanted) {
                return Found::Field(index);
            }
            if matches!(found, Found::Nothing) && entry.is_named(wanted) {
                found = Found::Name(index);
            }
        }
        found
    }

    /// Whether a field that is in no table is to enter the dynamic one. One that would take more than half of it is not.
    fn enters(&mut self, wanted: &Wanted<'_>, indexing: Indexing) -> bool {
        let fits = 2 * (wanted.name.len() + wanted.value.len() + OVERHEAD) <= self.table.max();
        match indexing {
            Indexing::Always => fits,
            Indexing::Second => {
                let seen = &mut self.seen[(wanted.hash >> 58) as usize];
                fits && std::mem::replace(seen, wanted.hash) == wanted.hash
            }
            Indexing::Never | Indexing::Not => false,
        }
    }
}
