//! One attempt: a stream on one subchannel, from its opening to the response's head.

use std::task::{Context, Poll};

use thalweg_core::metadata::{Metadata, NoMetadata};
use tonic::{Code, Status};

use super::{
    observe::Observation,
    upload::{Upload, UploadError},
};
use crate::{
    error::WireError,
    transport::client::{Opened, ReceiveHalf, ResponseHead, SendHalf, Whole},
};

/// What an attempt came to.
pub(super) enum Outcome {
    /// The response's head, and all of the rest if that is there and simple.
    Answered(ResponseHead, Option<Whole>),
    /// The call has failed.
    Failed(Status),
    /// The stream broke before an answer.
    Broken(WireError),
}

/// A stream that has not been answered.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Gone when the request has been sent, or cannot be.
    pub(super) send: Option<SendHalf>,
    pub(super) receive: ReceiveHalf,
    pub(super) observation: Observation,
    /// The stream was opened in this very turn of the call's task: nothing can have come.
    fresh: bool,
}

impl Attempt {
    /// To be polled in the turn in which the stream was opened.
    pub(super) fn new(Opened { send, receive }: Opened, observation: Observation) -> Self {
        let fresh = send.is_none();
        Self { send, receive, observation, fresh }
    }

    /// Sends the request and waits for the head of the response.
    pub(super) fn poll(&mut self, upload: &mut Upload, cx: &mut Context<'_>) -> Poll<Outcome> {
        if std::mem::take(&mut self.fresh) {
            return Poll::Pending;
        }
        if let Some(send) = &mut self.send {
            match upload.poll_send(send, cx) {
                Poll::Ready(Err(UploadError::Request(status))) => {
                    send.cancel();
                    return Poll::Ready(Outcome::Failed(status));
                }
                // A broken stream: the receiving half knows why, or has an early answer.
                Poll::Ready(Ok(()) | Err(UploadError::Broken)) => self.send = None,
                Poll::Pending => {}
            }
        }
        self.receive.poll_head(cx).map(|head| match head {
            Ok((head, whole)) => Outcome::Answered(head, whole),
            Err(error) => Outcome::Broken(error),
        })
    }

    /// Tells the observers how it ended, without trailers.
    pub(super) fn end(&mut self, code: Code) {
        self.end_with(code, &NoMetadata);
    }

    /// Tells the observers how it ended.
    pub(super) fn end_with(&mut self, code: Code, trailers: &dyn Metadata) {
        self.observation.end(code, trailers);
    }
}
