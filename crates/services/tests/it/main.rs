//! Integration tests of the services: one binary, since linking is slow.

// A test that cannot go on may panic, in its helpers too.
#![allow(clippy::unwrap_used)]

mod health;
