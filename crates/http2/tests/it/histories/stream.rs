//! What one end knows of a stream, apart from what the wire knows of it.

use thalweg_http2::exchange::Cut;

use super::operation::Side;

/// The bytes of a stream are known from its id and their place, so that a lost, doubled or swapped byte is seen.
pub(crate) fn byte(sender: Side, stream: u32, at: usize) -> u8 {
    let way = if sender == Side::Client { 0 } else { 101 };
    (stream as usize).wrapping_mul(37).wrapping_add(at.wrapping_mul(7)).wrapping_add(at >> 8).wrapping_add(way) as u8
}

/// One end of a stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Bytes that this end has sent.
    pub(crate) sent: usize,
    /// This end has said all it has to say.
    pub(crate) is_said: bool,
    /// The server has begun with its answer; the client has heard the beginning of one.
    pub(crate) is_answered: bool,
    /// Bytes that have come.
    pub(crate) heard: usize,
    /// Bytes of them that were not read.
    pub(crate) unread: usize,
    /// How the other end's side came to its end.
    pub(crate) ended: Option<Ended>,
    /// This end gave it up.
    pub(crate) is_reset: bool,
    /// Data wait, and whoever waits with them was not told yet.
    pub(crate) is_waiting: bool,
    /// It was opened with data, which may wait.
    pub(crate) may_wait: bool,
}

/// How a side of a stream ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ended {
    Well,
    Cut(Cut),
}
