//! One error type per seam, and the mark by which a status that thalweg made can be told from one the server sent.
//!
//! At the public edge errors are [`tonic::Status`]; [`LocalError::of`] says whether thalweg made it, and why.

pub(crate) mod connect;
pub(crate) mod status;
mod wire;

use std::{error::Error, sync::Arc};

use thalweg_core::status::{Code, Status as CoreStatus};
use thiserror::Error;

pub use connect::ConnectError;
pub use wire::{Processed, Who, WireError, WireErrorKind};

/// Why thalweg itself ended a call. The `source()` of every [`tonic::Status`] that did not come from the server.
///
/// Statuses made by tonic's codec or by a user's interceptor carry no mark.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The call's deadline passed.
    #[error("the deadline passed")]
    DeadlineExceeded,
    /// No backend could be used: the resolver or the load-balancing policy failed the call.
    #[error("no backend can serve the call")]
    NoBackend,
    /// The connection or the stream broke.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A message is larger than its limit, in bytes.
    #[error("a message of {size} bytes is over the limit of {limit}")]
    MessageTooLarge {
        /// The size in the message's prefix.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The metadata is larger than its limit, in bytes (as HTTP/2 counts header lists).
    #[error("metadata of {size} bytes is over the limit of {limit}")]
    MetadataTooLarge {
        /// The size of the metadata.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// What answered does not speak gRPC.
    #[error("the answer is not gRPC's: {0}")]
    NotGrpc(Arc<str>),
    /// The server's certificate does not cover the authority that the call was given (A81).
    #[error("the server's certificate does not cover the call's authority")]
    AuthorityNotCovered,
    /// Call credentials failed, or were refused.
    #[error("call credentials: {0}")]
    CallCredentials(Arc<str>),
    /// The application's request body failed.
    #[error("the request body failed: {0}")]
    RequestBody(Arc<str>),
    /// The channel or server is shut down.
    #[error("shut down")]
    Shutdown,
    /// A handler panicked.
    #[error("a handler panicked: {0}")]
    Panicked(Arc<str>),
    /// No such service or method is mounted.
    #[error("not mounted")]
    Unimplemented,
    /// The request is not a well-formed gRPC request.
    #[error("malformed request: {0}")]
    MalformedRequest(Arc<str>),
}

impl LocalError {
    /// The mark on a status that thalweg made; `None` if the status came from elsewhere.
    #[must_use]
    pub fn of(status: &tonic::Status) -> Option<&Self> {
        let mut source = status.source();
        while let Some(error) = source {
            if let Some(local) = error.downcast_ref::<Self>() {
                return Some(local);
            }
            source = error.source();
        }
        None
    }

    /// A status that carries this mark.
    pub(crate) fn status(self, code: tonic::Code, message: impl Into<String>) -> tonic::Status {
        let mut status = tonic::Status::new(code, message);
        status.set_source(Arc::new(self));
        status
    }
}

/// tonic's code for ours: the numbers are gRPC's own.
pub(crate) fn tonic_code(code: Code) -> tonic::Code {
    tonic::Code::from_i32(code as i32)
}

/// Our code for tonic's.
pub(crate) fn core_code(code: tonic::Code) -> Code {
    Code::from_number(code as u64).unwrap_or(Code::Unknown)
}

/// A status of the control plane as the caller sees it, with its mark.
pub(crate) fn control_plane(status: CoreStatus, mark: LocalError) -> tonic::Status {
    let status = status.for_control_plane();
    mark.status(tonic_code(status.code()), status.message().to_string())
}
