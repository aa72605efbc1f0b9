//! The body of a response: messages and trailers, under the call's deadline and limits.

use std::{
    fmt,
    future::poll_fn,
    mem,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tonic::{Code, Status};

use super::{
    Active,
    attempt::Attempt,
    metadata::Headers,
    response::{GRPC_STATUS, code_of, into_map},
    story::Story,
    upload::{Upload, UploadError},
};
use crate::{
    error::{LocalError, WireError},
    rt::{self, Alarm, Task},
    transport::{
        client::{Fields, SendHalf, Whole},
        messages::{Prefixes, TooLarge},
    },
};

/// What is left of a call when its response's head has come.
pub(super) struct Rest {
    pub(super) story: Story,
    pub(super) deadline: Option<Instant>,
    pub(super) alarm: Alarm,
    pub(super) _active: Active,
}

/// The body of a response. Its errors are statuses; dropping it cancels what is left of the call.
pub struct ResponseBody(Stage);

/// What is left of a response.
enum Stage {
    /// It has come at once, and so has its success.
    Whole(Whole),
    /// The trailers of such a one.
    Trailers(Fields),
    /// The call goes on.
    Streaming(Box<Streaming>),
    Over,
}

struct Streaming {
    attempt: Attempt,
    prefixes: Prefixes,
    rest: Rest,
    pump: Option<Pump>,
    /// The messages before one that is too large have been handed over, and this is next.
    refusal: Option<Status>,
    trailers: bool,
}

/// The task that sends what is left of the request.
struct Pump {
    _task: Task,
    /// Why the application's messages failed, if they did.
    failure: Arc<OnceLock<Status>>,
}

impl Pump {
    fn start(upload: Upload, send: SendHalf, deadline: Option<Instant>) -> Self {
        let failure = Arc::new(OnceLock::new());
        let task = rt::spawn(pump(upload, send, deadline, failure.clone()));
        Self { _task: task, failure }
    }
}

async fn pump(mut upload: Upload, mut send: SendHalf, deadline: Option<Instant>, failure: Arc<OnceLock<Status>>) {
    let mut alarm = Alarm::default();
    alarm.set(deadline);
    let result = poll_fn(|cx| {
        if let Poll::Ready(result) = upload.poll_send(&mut send, cx) {
            return Poll::Ready(result);
        }
        if alarm.poll_ring(cx).is_ready() {
            send.cancel();
            return Poll::Ready(Ok(()));
        }
        send.poll_reset(cx).map(|_| Err(UploadError::Broken))
    });
    if let Err(UploadError::Request(status)) = result.await {
        let _ = failure.set(status);
        send.cancel();
    }
}

impl Stage {
    /// The next frame of what has come at once.
    fn next_frame(&mut self) -> Option<Frame<Bytes>> {
        match mem::replace(self, Self::Over) {
            Self::Whole(Whole { body, trailers }) => {
                *self = Self::Trailers(trailers);
                Some(Frame::data(body))
            }
            Self::Trailers(trailers) => Some(Frame::trailers(trailers.into_map())),
            Self::Streaming(_) | Self::Over => None,
        }
    }
}

impl ResponseBody {
    /// A response that is over already.
    pub(super) fn empty() -> Self {
        Self(Stage::Over)
    }

    /// A response that was taken whole.
    pub(super) fn whole(whole: Whole) -> Self {
        Self(Stage::Whole(whole))
    }

    pub(super) fn new(mut attempt: Attempt, mut upload: Upload, limit: usize, rest: Rest) -> Self {
        upload.commit();
        let pump = attempt.send.take().map(|send| Pump::start(upload, send, rest.deadline));
        let prefixes = Prefixes::new(limit);
        let streaming = Streaming { attempt, prefixes, rest, pump, refusal: None, trailers: false };
        Self(Stage::Streaming(Box::new(streaming)))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let streaming = match &mut self.0 {
            Stage::Streaming(streaming) => streaming,
            at_once => return Poll::Ready(at_once.next_frame().map(Ok)),
        };
        let frame = ready!(streaming.poll_in_time(cx));
        match frame.as_ref().map(Frame::trailers_ref) {
            Ok(None) => return Poll::Ready(Some(frame)),
            Ok(Some(trailers)) => {
                let code = trailers.get(GRPC_STATUS).map_or(Code::Unknown, code_of);
                streaming.attempt.end_with(code, &Headers(trailers));
            }
            Err(status) => streaming.attempt.end(status.code()),
        }
        self.0 = Stage::Over;
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Stage::Over)
    }
}

impl Streaming {
    /// The next frame, unless the deadline has passed. A status that is here already counts even then; a server that
    /// never stops sending does not.
    fn poll_in_time(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame<Bytes>, Status>> {
        match self.poll_stream(cx) {
            Poll::Ready(Ok(frame)) if frame.is_data() && self.is_late() => {
                Poll::Ready(Err(self.rest.story.deadline_exceeded(rt::now())))
            }
            Poll::Pending => self.poll_deadline(cx).map(Err),
            ready @ Poll::Ready(_) => ready,
        }
    }

    fn is_late(&self) -> bool {
        self.rest.deadline.is_some_and(|deadline| rt::now() >= deadline)
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame<Bytes>, Status>> {
        if let Some(refusal) = self.refusal.take() {
            return Poll::Ready(Err(refusal));
        }
        if !self.trailers {
            match ready!(self.attempt.receive.poll_data(cx)) {
                Some(Ok(data)) => return Poll::Ready(self.check(data).map(Frame::data)),
                Some(Err(error)) => return Poll::Ready(Err(self.broken(error))),
                None => self.trailers = true,
            }
        }
        Poll::Ready(match ready!(self.attempt.receive.poll_trailers(cx)) {
            Ok(Some(trailers)) => self.finish(trailers),
            Ok(None) => Err(not_grpc(Code::Internal, "the server closed the stream without sending trailers")),
            Err(error) => Err(self.broken(error)),
        })
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        let Rest { deadline, alarm, story, .. } = &mut self.rest;
        let Some(deadline) = *deadline else { return Poll::Pending };
        alarm.set(Some(deadline));
        ready!(alarm.poll_ring(cx));
        Poll::Ready(story.deadline_exceeded(rt::now()))
    }

    /// What may be handed over of `data`.
    fn check(&mut self, mut data: Bytes) -> Result<Bytes, Status> {
        let Err(TooLarge { size, limit, before }) = self.prefixes.follow(&data) else { return Ok(data) };
        let text =
            format!("a response message of {size} bytes is larger than max_receive_message_size ({limit} bytes)");
        let refusal = LocalError::MessageTooLarge { size, limit }.status(Code::ResourceExhausted, text);
        if before == 0 {
            return Err(refusal);
        }
        self.refusal = Some(refusal);
        data.truncate(before);
        Ok(data)
    }

    /// The end of the stream, which must say how the call went.
    fn finish(&mut self, trailers: Fields) -> Result<Frame<Bytes>, Status> {
        let Some(status) = trailers.get(GRPC_STATUS.as_str()) else {
            return Err(not_grpc(Code::Unknown, "the server's trailers have no grpc-status"));
        };
        if code_of(status) == Code::Ok && !self.prefixes.is_between() {
            return Err(not_grpc(Code::Internal, "the server ended the stream in the middle of a message"));
        }
        Ok(Frame::trailers(into_map(trailers)))
    }

    fn broken(&self, error: WireError) -> Status {
        let failure = self.pump.as_ref().and_then(|pump| pump.failure.get());
        match failure {
            Some(status) => status.clone(),
            None => self.rest.story.broken(error, self.rest.deadline, rt::now()),
        }
    }
}

fn not_grpc(code: Code, text: &str) -> Status {
    LocalError::NotGrpc(text.into()).status(code, text)
}

impl Default for ResponseBody {
    /// A response that is over already: what an interceptor answers with when it refuses a call.
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("ended", &matches!(self.0, Stage::Over)).finish()
    }
}
