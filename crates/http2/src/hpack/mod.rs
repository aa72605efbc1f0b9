//! HPACK (RFC 7541): header blocks and the two tables that shorten them.

pub mod decoder;
pub mod encoder;
pub mod field;

mod dynamic_table;
mod huffman;
mod integer;
mod static_table;
mod string;

#[cfg(test)]
mod tests;

/// What an entry counts beyond its name and its value, in bytes (section 4.1).
const OVERHEAD: usize = 32;
/// SETTINGS_HEADER_TABLE_SIZE before anything is said of it, in bytes (RFC 9113 section 6.5.2).
pub const DEFAULT_TABLE_SIZE: usize = 4096;
