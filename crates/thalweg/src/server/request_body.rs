//! The request as a handler reads it: windows opened as it is consumed, messages measured before they are buffered, and
//! never a clean end where there was none.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tonic::{Code, Status};

use crate::{
    context::ServerCall,
    error::{LocalError, Processed, Who, WireError, WireErrorKind},
    transport::{
        messages::{Prefixes, TooLarge},
        server::RequestHalf,
    },
};

/// The body of a request.
#[derive(Debug)]
pub(super) struct RequestBody {
    half: RequestHalf,
    call: ServerCall,
    prefixes: Prefixes,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Data,
    Trailers,
    Ended,
}

impl RequestBody {
    pub(super) fn new(half: RequestHalf, call: ServerCall, max_message_size: usize) -> Self {
        Self { half, call, prefixes: Prefixes::new(max_message_size), stage: Stage::Data }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.stage == Stage::Data {
            match ready!(self.half.poll_data(cx)) {
                Some(Ok(data)) => {
                    let measured = self.prefixes.follow(&data).map_err(too_large);
                    return Poll::Ready(Some(measured.map(|()| Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(lost(error)))),
                None => self.stage = Stage::Trailers,
            }
        }
        let trailers = ready!(self.half.poll_trailers(cx));
        self.stage = Stage::Ended;
        Poll::Ready(match trailers {
            Ok(trailers) => trailers.map(|trailers| Ok(Frame::trailers(trailers))),
            Err(error) => Some(Err(lost(error))),
        })
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.stage == Stage::Ended {
            return Poll::Ready(None);
        }
        let polled = match self.poll_next(cx) {
            // Only a reader that the handler left behind can wait for a call that is over.
            Poll::Pending if self.call.is_over(cx.waker()) => Poll::Ready(Some(Err(over()))),
            polled => polled,
        };
        if matches!(polled, Poll::Ready(Some(Err(_)) | None)) {
            self.stage = Stage::Ended;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.stage == Stage::Ended || self.half.is_ended()
    }
}

/// A message over the limit: RESOURCE_EXHAUSTED, before anybody has buffered it.
pub(super) fn too_large(TooLarge { size, limit, .. }: TooLarge) -> Status {
    let mark = LocalError::MessageTooLarge { size, limit };
    let message = mark.to_string();
    mark.status(Code::ResourceExhausted, message)
}

/// The client or the network ended the request early. Never CANCELLED, which tonic would take for a clean end.
fn lost(error: WireError) -> Status {
    let message = format!("the request was cut off: {error}");
    LocalError::Wire(error).status(Code::Unavailable, message)
}

/// We ended the call while the request was still being read.
fn over() -> Status {
    let error = WireError { who: Who::Local, processed: Processed::Yes, kind: WireErrorKind::Reset(0) };
    LocalError::Wire(error).status(Code::Unavailable, "the request was cut off: the call has ended")
}
