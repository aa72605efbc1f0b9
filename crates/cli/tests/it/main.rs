//! The `thalweg` command as its users run it.

// The lint knows tests by their attribute, and here all is test.
#![allow(clippy::unwrap_used)]

mod demo;
