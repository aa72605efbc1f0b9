//! Header blocks to fields (RFC 7541 sections 3 and 6).

use super::field::Field;
use crate::error::Violation;

/// The state of one direction of a connection: its dynamic table.
#[derive(Debug)]
pub struct Decoder {
}

impl Decoder {
    /// A decoder that announced a SETTINGS_HEADER_TABLE_SIZE of `max_table_size` bytes.
    #[must_use]
    pub fn new(max_table_size: usize) -> Self {
        let _ = max_table_size;
        Self {}
    }

    /// Decodes a whole header block. Each field is told with its size: name, value and 32 bytes.
    ///
    /// # Errors
    /// COMPRESSION_ERROR, after which the connection cannot go on.
    pub fn decode(&mut self, block: &[u8], each: &mut impl FnMut(&Field, usize)) -> Result<(), Violation> {
        let _ = (block, each);
        Ok(())
    }
}
