//! Echo Metadata and Echo Status: what a request says about the end of its call.

use thalweg::context::ServerRequestExt;
use thalweg_proto::interop::EchoStatus;
use tonic::{Code, Request, Status, metadata::MetadataMap};

use crate::payload::{ECHO_INITIAL, ECHO_TRAILING};

/// Puts the trailing key back behind the response, and returns what is to go in front of it.
pub(super) fn metadata<T>(request: &Request<T>) -> MetadataMap {
    let received = request.metadata();
    if let Some(value) = received.get_bin(ECHO_TRAILING) {
        request.trailers().insert_bin(ECHO_TRAILING, value.clone());
    }
    let mut initial = MetadataMap::new();
    if let Some(value) = received.get(ECHO_INITIAL) {
        initial.insert(ECHO_INITIAL, value.clone());
    }
    initial
}

/// The status that a request asks for, as an error unless it is OK.
pub(super) fn status(asked: Option<EchoStatus>) -> Result<(), Status> {
    match asked {
        Some(EchoStatus { code, message }) if code != 0 => Err(Status::new(Code::from_i32(code), message)),
        _ => Ok(()),
    }
}
