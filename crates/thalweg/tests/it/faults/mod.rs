//! What goes wrong on a network, and what a caller sees of it: exact codes, stories and marks.

mod drained;
mod killed;
mod partial;
mod silent;
mod threads;
#[cfg(feature = "tls")]
mod tls;
