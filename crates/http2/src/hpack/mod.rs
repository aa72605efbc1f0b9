//! HPACK (RFC 7541): header blocks and the two tables that shorten them.

pub mod decoder;
pub mod encoder;
pub mod field;

mod dynamic_table;
mod hash;
mod huffman;
mod integer;
mod static_table;
mod string;

#[cfg(test)]
mod tests;

use crate::error::{Code, Violation};

/// SETTINGS_HEADER_TABLE_SIZE before anything is said of it, in bytes (RFC 9113 section 6.5.2).
pub const DEFAULT_TABLE_SIZE: usize = 4096;
/// What a field counts beyond its name and its value, in bytes (section 4.1).
const OVERHEAD: usize = 32;

/// The end of a connection whose HPACK states differ from now on.
#[cold]
fn broken(rule: impl Into<std::borrow::Cow<'static, str>>) -> Violation {
    Violation::new(Code::COMPRESSION_ERROR, rule)
}
