//! The simulator catches policies that break the contract, and tells what happens to those that keep it.

#![allow(clippy::unwrap_used)] // All of this is tests.

mod breaches;
mod effects;
