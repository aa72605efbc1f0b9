//! The h2 crate's errors in our words.

use std::io;

use h2::Reason;

use crate::error::{Processed, Who, WireError, WireErrorKind, connect::describe_io};

/// What an error of the h2 crate says about the stream it ended.
pub(super) fn wire_error(error: &h2::Error) -> WireError {
    let who = if error.is_remote() { Who::Peer } else { Who::Local };
    let code = error.reason().map_or(0, Into::into);
    if error.is_reset() {
        let refused = error.is_remote() && error.reason() == Some(Reason::REFUSED_STREAM);
        let processed = if refused { Processed::No } else { Processed::Maybe };
        return WireError { who, processed, kind: WireErrorKind::Reset(code) };
    }
    if error.is_go_away() {
        // h2 gives a remote GOAWAY only to the streams above its last stream id.
        let processed = if error.is_remote() { Processed::No } else { Processed::Maybe };
        let kind = match error.is_remote() {
            true => WireErrorKind::GoAway(code),
            false => WireErrorKind::Violation(error.to_string().into()),
        };
        return WireError { who, processed, kind };
    }
    if let Some(error) = error.get_io() {
        return network(error);
    }
    WireError { who: Who::Local, processed: Processed::Maybe, kind: WireErrorKind::Protocol(error.to_string().into()) }
}

fn network(error: &io::Error) -> WireError {
    let kind = match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => WireErrorKind::Closed,
        kind => WireErrorKind::Io(kind, describe_io(error).into()),
    };
    WireError { who: Who::Network, processed: Processed::Maybe, kind }
}

/// The byte stream ended, or the stream is no longer open, and nothing said why.
pub(super) fn closed() -> WireError {
    WireError { who: Who::Network, processed: Processed::Maybe, kind: WireErrorKind::Closed }
}

/// The peer reset a stream with this code.
pub(super) fn reset_by_peer(reason: Reason) -> WireError {
    let processed = if reason == Reason::REFUSED_STREAM { Processed::No } else { Processed::Maybe };
    WireError { who: Who::Peer, processed, kind: WireErrorKind::Reset(reason.into()) }
}
