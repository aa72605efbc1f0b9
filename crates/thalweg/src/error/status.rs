//! The one table from what happened to the status that a caller sees (doc/PROTOCOL-HTTP2,
//! doc/http-grpc-status-mapping).

use thalweg_core::endpoint::Address;
use tonic::{Code, Status};

use super::{LocalError, WireError, WireErrorKind};

/// The code for a stream reset with this HTTP/2 error code (doc/PROTOCOL-HTTP2, "Errors").
fn code_of_reset(code: u32) -> Code {
    match code {
        0..=4 | 6 | 9 | 10 => Code::Internal,
        7 => Code::Unavailable,
        8 => Code::Cancelled,
        11 => Code::ResourceExhausted,
        12 => Code::PermissionDenied,
        _ => Code::Unknown,
    }
}

/// The code for an HTTP response that is not gRPC's (doc/http-grpc-status-mapping).
pub(crate) fn code_of_http(status: http::StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// The status of a call whose stream or connection to `address` broke.
pub(crate) fn of_wire(error: WireError, address: &Address) -> Status {
    let code = match &error.kind {
        WireErrorKind::Reset(code) => code_of_reset(*code),
        WireErrorKind::Protocol(_) => Code::Internal,
        WireErrorKind::DeadlineExceeded => Code::DeadlineExceeded,
        WireErrorKind::HeadersTooLarge { .. } => Code::ResourceExhausted,
        WireErrorKind::GoAway { .. }
        | WireErrorKind::Violation(_)
        | WireErrorKind::Io(..)
        | WireErrorKind::Closed
        | WireErrorKind::KeepaliveTimedOut => Code::Unavailable,
    };
    let message = format!("{address}: {error}");
    let mark = match error.kind {
        WireErrorKind::HeadersTooLarge { size, limit } => LocalError::MetadataTooLarge { size, limit },
        _ => LocalError::Wire(error),
    };
    mark.status(code, message)
}
