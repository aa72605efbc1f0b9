//! What ends streams and connections, in the words of the layers above.

use std::io;

use thalweg_http2::{
    error::{Code, Rule, Violation},
    exchange::{Cut, GoAway},
};

use crate::error::{Processed, Who, WireError, WireErrorKind, connect::describe_io};

/// Who ended a connection, unless it was we who closed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Blame {
    /// The peer closed it.
    Peer,
    /// The byte stream broke.
    Network,
    /// The peer did not answer a keepalive ping.
    Silence,
    /// The peer broke a rule.
    Violation(Rule),
}

/// Why a stream was cut off. A call that was `answered` has been processed, whatever became of it then.
pub(super) fn of_cut(cut: Cut, answered: bool) -> WireError {
    let error = match cut {
        Cut::Reset(code) => {
            let processed = if code == Code::REFUSED_STREAM { Processed::No } else { Processed::Maybe };
            WireError { who: Who::Peer, processed, kind: WireErrorKind::Reset(code.0) }
        }
        Cut::GoAway(away) => of_go_away(&away),
        Cut::Violation(violation) => {
            let kind = WireErrorKind::Protocol(violation.text.into());
            WireError { who: Who::Local, processed: Processed::Maybe, kind }
        }
    };
    if answered { WireError { processed: Processed::Yes, ..error } } else { error }
}

/// We reset the stream.
pub(super) fn given_up(code: Code, answered: bool) -> WireError {
    let processed = if answered { Processed::Yes } else { Processed::Maybe };
    WireError { who: Who::Local, processed, kind: WireErrorKind::Reset(code.0) }
}

/// The peer has said GOAWAY and has not processed this.
pub(super) fn of_go_away(away: &GoAway) -> WireError {
    let kind = WireErrorKind::GoAway { code: away.code.0, debug: away.debug.as_str().into() };
    WireError { who: Who::Peer, processed: Processed::No, kind }
}

/// The peer broke a rule for which the whole connection ends.
pub(super) fn of_violation(violation: Violation) -> WireError {
    let kind = WireErrorKind::Violation(violation.text.into());
    WireError { who: Who::Local, processed: Processed::Maybe, kind }
}

/// The byte stream failed.
pub(super) fn of_io(error: &io::Error) -> WireError {
    let kind = match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof | io::ErrorKind::WriteZero => WireErrorKind::Closed,
        kind => WireErrorKind::Io(kind, describe_io(error).into()),
    };
    WireError { who: Who::Network, processed: Processed::Maybe, kind }
}

/// The byte stream ended, or the stream is no longer open, and nothing said why.
pub(super) fn closed() -> WireError {
    WireError { who: Who::Network, processed: Processed::Maybe, kind: WireErrorKind::Closed }
}

/// We ended it ourselves.
pub(super) fn ours(kind: WireErrorKind) -> WireError {
    WireError { who: Who::Local, processed: Processed::Maybe, kind }
}
