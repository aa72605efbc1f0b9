//! What lies below the codec: the five-byte prefix of every gRPC message, watched on its way in and out.
//!
//! tonic's codec neither says whether a message arrived compressed nor sends one message of a stream uncompressed. The
//! compression cases need both, so [`ClientFraming`] and [`ServerFraming`] sit between the codec and thalweg: they note
//! the compressed flag of each message in the call's [`Wire`], and they inflate what the [`Wire`]'s plan wants plain.

pub use client::ClientFraming;
pub use prefix::frame;
pub use server::ServerFraming;
pub use wire::{Flow, Plan, Wire};

mod client;
mod server;

mod plain;
mod watch;

mod prefix;
mod wire;
