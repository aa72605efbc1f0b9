//! The connectivity state of a channel, policy or subchannel (gRPC's connectivity-semantics-and-api).

use std::fmt;

/// What a channel (or a policy, or a subchannel) can do for a call right now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Connectivity {
    /// Not connected and not trying; a call, or a request to connect, starts an attempt.
    Idle,
    /// Trying to connect: calls wait.
    Connecting,
    /// Connected: calls are sent.
    Ready,
    /// Failed and backing off: calls fail unless they wait for ready.
    TransientFailure,
    /// Closed for good.
    Shutdown,
}

impl fmt::Display for Connectivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "IDLE",
            Self::Connecting => "CONNECTING",
            Self::Ready => "READY",
            Self::TransientFailure => "TRANSIENT_FAILURE",
            Self::Shutdown => "SHUTDOWN",
        })
    }
}
