//! PING (RFC 9113 section 6.7): whether the peer is there, and how far away.

use super::{Head, flags, kind};
use crate::error::Fault;

/// A PING frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ping {
    /// Whether it answers one of ours.
    pub ack: bool,
    /// What the answer repeats.
    pub payload: [u8; 8],
}

/// Reads a frame.
///
/// # Errors
/// A frame with a stream, or of a wrong size.
pub fn parse(head: &Head, payload: &[u8]) -> Result<Ping, Fault> {
    head.on_the_connection()?;
    Ok(Ping { ack: head.has(flags::ACK), payload: head.exactly(payload)? })
}

impl Ping {
    /// Appends the frame.
    pub fn write(self, out: &mut Vec<u8>) {
        Head { len: 8, kind: kind::PING, flags: if self.ack { flags::ACK } else { 0 }, stream: 0 }.write(out);
        out.extend_from_slice(&self.payload);
    }
}
