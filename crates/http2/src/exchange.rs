//! What the two halves of a connection tell each other, once per batch of frames.
//!
//! Both are reused from batch to batch, so that in the steady state nothing is allocated.

use crate::{
    counters::Counters,
    error::{Code, Violation},
    frame::settings::Settings,
};

/// From the sender to the receiver: what calls have done since the last batch. Whoever takes them has seen every stream
/// whose bytes can have reached the peer.
#[derive(Debug)]
pub struct News<S> {
    /// Streams that we opened, with whoever waits for their answers.
    pub opened: Vec<(u32, S)>,
    /// Streams that we ended, by a reset or by the end of our answer: nobody wants to hear of them any more.
    pub closed: Vec<u32>,
    /// Bytes that the peer was told it may send again, by stream; 0 is the connection.
    pub credits: Vec<(u32, u32)>,
    /// Streams that we reset since the peer made their windows too large. Who waits for them does not know it yet.
    pub offended: Vec<(u32, Violation)>,
    /// DATA frames that we sent: each is a reason for WINDOW_UPDATEs.
    pub data_frames: u32,
}

impl<S> Default for News<S> {
    fn default() -> Self {
        Self { opened: Vec::new(), closed: Vec::new(), credits: Vec::new(), offended: Vec::new(), data_frames: 0 }
    }
}

/// From the receiver to the sender: what the frames of a batch ask of it.
#[derive(Debug, Default)]
pub struct Effects {
    /// Streams that the peer opened.
    pub accepted: Vec<u32>,
    /// Streams on which the peer has ended its side.
    pub ended: Vec<u32>,
    /// Streams that the peer reset.
    pub gone: Vec<u32>,
    /// Streams to reset, for what the peer did on them. They need not be known to the sender.
    pub resets: Vec<(u32, Code)>,
    /// WINDOW_UPDATEs: bytes that we may send, by stream; 0 is the connection.
    pub windows: Vec<(u32, u32)>,
    /// SETTINGS to apply and acknowledge, in their order.
    pub settings: Vec<Settings>,
    /// PINGs to acknowledge.
    pub pings: Vec<[u8; 8]>,
    /// A PING to send, for the bandwidth-delay estimate.
    pub probe: Option<[u8; 8]>,
    /// A window of this many bytes for the connection and for every stream is to be announced.
    pub grow: Option<u32>,
    /// GOAWAY from the peer.
    pub go_away: Option<GoAway>,
    /// Padding, which nobody reads: bytes to give back to the windows of these streams at once.
    pub padding: Vec<(u32, u32)>,
    /// Bytes under the connection's flow control that came in.
    pub received: u32,
    /// What was counted since the last batch.
    pub counters: Counters,
}

/// GOAWAY as the peer sent it (RFC 9113 section 6.8).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GoAway {
    /// Streams above this one were not processed.
    pub last_stream: u32,
    /// Why.
    pub code: Code,
    /// The peer's words, cut at 1 KiB, for logs.
    pub debug: String,
}

/// Why a stream ended before its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cut {
    /// RST_STREAM by the peer.
    Reset(Code),
    /// GOAWAY by the peer, which has not processed the stream.
    GoAway(GoAway),
    /// The peer broke a rule on this stream, and we have reset it.
    Violation(Violation),
}
