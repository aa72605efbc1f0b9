//! A connection at work: two tasks and a short lock around the protocol of `thalweg-http2`.
//!
//! - Calls append what they send to the shared write buffer themselves, under the sender's lock ([`link`]); nothing is
//!   handed from task to task. The [`writer`] takes what has gathered and writes it at once.
//! - The [`reader`] alone knows what comes in. It puts events into the [`slot`] of their stream, and wakes all the calls of
//!   a batch when it has understood the batch.
//! - [`client`] and [`server`] are what the layers above see.

pub(crate) mod client;
pub(crate) mod server;

mod stream;

mod reader;
mod writer;

pub(crate) mod ledger;

mod link;

mod slot;

mod inquiry;
mod unread;

mod error;
mod flush;
mod gathering;
mod halves;
mod seam;
mod sync;
