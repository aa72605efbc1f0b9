//! The resident memory of this process, exactly as the kernel adds it up (`/proc/self/smaps_rollup`).
//!
//! `/proc/self/statm` is cheaper but may be off by a few hundred pages: it is kept per CPU.

use std::{fs, io};

use crate::error::Error;

#[cfg(test)]
mod tests;

const BOOKS: &str = "/proc/self/smaps_rollup";

/// The bytes that are resident now.
///
/// # Errors
///
/// The kernel keeps no such books.
pub(crate) fn bytes() -> Result<u64, Error> {
    fs::read_to_string(BOOKS).and_then(|books| parse(&books)).map_err(Error::io(BOOKS))
}

/// The line `Rss:    1234 kB`, in bytes.
fn parse(books: &str) -> io::Result<u64> {
    books
        .lines()
        .find_map(|line| line.strip_prefix("Rss:")?.strip_suffix("kB")?.trim().parse().ok())
        .map(|kib: u64| kib * 1024)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no line says Rss in kB"))
}
