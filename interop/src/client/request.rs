//! The requests that several cases send, and the stream that carries them one by one.

use thalweg_proto::interop::{ResponseParameters, SimpleRequest, StreamingOutputCallRequest};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::expect::Failure;
use crate::payload::{self, LARGE_REQUEST, LARGE_RESPONSE};

/// The request that asks for a large response, and is large itself.
pub(super) fn large() -> SimpleRequest {
    SimpleRequest {
        response_size: payload::wire_size(LARGE_RESPONSE),
        payload: Some(payload::zeros(LARGE_REQUEST)),
        ..Default::default()
    }
}

/// Asks for a response of `size` bytes.
pub(super) fn sized(size: usize) -> ResponseParameters {
    ResponseParameters { size: payload::wire_size(size), ..Default::default() }
}

/// A request of FullDuplexCall that asks for one response.
pub(super) fn duplex(request_size: usize, response_size: usize) -> StreamingOutputCallRequest {
    StreamingOutputCallRequest {
        response_parameters: vec![sized(response_size)],
        payload: Some(payload::zeros(request_size)),
        ..Default::default()
    }
}

/// The near end of a request stream, which stays open until this is dropped.
#[derive(Debug)]
pub(super) struct Feed<T>(mpsc::UnboundedSender<T>);

impl<T> Feed<T> {
    /// A feed, and the stream of what it is given.
    pub(super) fn new() -> (Self, UnboundedReceiverStream<T>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), UnboundedReceiverStream::new(receiver))
    }

    /// Sends a message, if there is one; fails if the call has dropped the stream.
    pub(super) fn push(&self, what: &str, message: Option<T>) -> Result<(), Failure> {
        let Some(message) = message else { return Ok(()) };
        self.0.send(message).map_err(|_| Failure::new(what, "an open request stream", "one that the call dropped"))
    }
}
