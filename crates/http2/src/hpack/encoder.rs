//! Fields to header blocks (RFC 7541 sections 3 and 6).

/// Whether a field may enter the dynamic table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Indexing {
    /// At once.
    Always,
    /// When the same name and value are seen for the second time.
    Second,
    /// Not by us, nor by whoever forwards it: its value is sensitive.
    Never,
    /// Not by us.
    Not,
}

/// The state of one direction of a connection: its dynamic table.
#[derive(Debug)]
pub struct Encoder {
}

impl Encoder {
    /// An encoder for a peer with the default table size.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }

    /// Obeys the peer's SETTINGS_HEADER_TABLE_SIZE, in bytes; more than 4096 are not used.
    pub fn set_max_size(&mut self, max: usize) {
        let _ = max;
    }

    /// Begins a header block: says what the table's size has become.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        let _ = out;
    }

    /// Appends a field. `name` is in lower case.
    pub fn field(&mut self, out: &mut Vec<u8>, name: &[u8], value: &[u8], indexing: Indexing) {
        let _ = (out, name, value, indexing);
    }

    /// Changes whenever an index may have come to mean another entry: a block that was encoded since [`begin`](Self::begin)
    /// may be sent again as long as this is what it was before and after.
    #[must_use]
    pub fn generation(&self) -> u64 {
        0
    }
}
