//! The response as it goes out: headers with the first message, backpressure, trailers with what the handler added.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Body as _;
use tonic::{Status, body::Body};

use super::request_body::too_large;
use crate::{
    context::ServerCall,
    error::WireError,
    rt,
    transport::{
        messages::Prefixes,
        metadata,
        server::{Respond, SendHalf},
    },
};

/// The sending side of a call: before its headers are out, and after.
#[derive(Debug)]
pub(super) struct Outbound {
    respond: Respond,
    stream: Option<SendHalf>,
}

impl Outbound {
    pub(super) fn new(respond: Respond) -> Self {
        Self { respond, stream: None }
    }

    /// Ready when the client has given the call up, or is lost.
    pub(super) fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<WireError> {
        match &mut self.stream {
            Some(stream) => stream.poll_reset(cx),
            None => self.respond.poll_reset(cx),
        }
    }

    /// Ends the call with a status of our own: by headers alone, by trailers, or by RST_STREAM if trailers would have to
    /// wait behind a message that the client does not take.
    pub(super) fn fail(&mut self, status: Status, call: &ServerCall) {
        // Whoever would hear of an error here is gone.
        let _ = match &mut self.stream {
            None => {
                let mut head = status.into_http::<()>();
                write_end(head.headers_mut(), call);
                self.respond.send(&head, true).map(drop)
            }
            Some(stream) if stream.is_waiting() => {
                stream.cancel();
                Ok(())
            }
            Some(stream) => {
                let mut trailers = HeaderMap::new();
                // Fails only on bytes that no header can hold, which percent-encoding leaves none of.
                let _ = status.add_header(&mut trailers);
                write_end(&mut trailers, call);
                stream.send_trailers(&trailers)
            }
        };
    }
}

/// What the response's body has next.
enum Next {
    Data(Bytes),
    Trailers(HeaderMap),
    End,
    Failed(Status),
}

/// Why a reply ended early.
#[derive(Debug)]
pub(super) enum ReplyError {
    /// The client gave the call up, or is lost: nobody listens.
    Gone,
    /// The call fails with this.
    Failed(Status),
}

impl From<WireError> for ReplyError {
    fn from(_: WireError) -> Self {
        Self::Gone
    }
}

/// A response on its way out.
pub(super) struct Reply {
    /// The headers, until they are sent.
    head: Option<Response<()>>,
    body: Body,
    /// What was polled ahead of its turn.
    ahead: Option<Next>,
    /// Measures messages, if they are limited.
    prefixes: Option<Prefixes>,
}

impl Reply {
    pub(super) fn new(response: Response<Body>, max_message_size: Option<usize>) -> Self {
        let (mut head, body) = response.into_parts();
        metadata::strip(&mut head.headers);
        let head = Some(Response::from_parts(head, ()));
        Self { head, body, ahead: None, prefixes: max_message_size.map(Prefixes::new) }
    }

    /// Ready when the whole response has been handed to the connection.
    pub(super) fn poll(
        &mut self,
        out: &mut Outbound,
        call: &ServerCall,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), ReplyError>> {
        loop {
            if let Some(stream) = &mut out.stream {
                ready!(stream.poll_sent(cx))?;
            }
            ready!(rt::poll_turn(cx));
            let Poll::Ready(next) = self.poll_next(cx) else {
                self.open(out)?;
                return out.poll_reset(cx).map(|error| Err(error.into()));
            };
            match next {
                Next::Data(data) => {
                    if self.send(data, out, call, cx)? {
                        return Poll::Ready(Ok(()));
                    }
                }
                Next::Trailers(mut trailers) => {
                    write_end(&mut trailers, call);
                    return Poll::Ready(Ok(self.open(out)?.send_trailers(&trailers)?));
                }
                Next::End => return Poll::Ready(self.end(out, call)),
                Next::Failed(status) => return Poll::Ready(Err(ReplyError::Failed(status))),
            }
        }
    }

    /// Sends a piece of the body. A unary response has its trailers ready with it: it goes out whole, and that is the end.
    fn send(
        &mut self,
        data: Bytes,
        out: &mut Outbound,
        call: &ServerCall,
        cx: &mut Context<'_>,
    ) -> Result<bool, ReplyError> {
        if let Some(prefixes) = &mut self.prefixes {
            prefixes.follow(&data).map_err(|refused| ReplyError::Failed(too_large(refused)))?;
        }
        if self.head.is_some() {
            self.ahead = match self.poll_next(cx) {
                Poll::Ready(Next::Trailers(mut trailers)) => {
                    write_end(&mut trailers, call);
                    let head = self.head.take().unwrap_or_default();
                    out.respond.answer(&head, data, &trailers)?;
                    return Ok(true);
                }
                Poll::Ready(next) => Some(next),
                Poll::Pending => None,
            };
        }
        self.open(out)?.send(data, false)?;
        Ok(false)
    }

    /// The body is over without trailers: tonic's way to send a status by headers alone, and what other bodies do.
    fn end(&mut self, out: &mut Outbound, call: &ServerCall) -> Result<(), ReplyError> {
        let mut trailers = HeaderMap::new();
        if let Some(mut head) = self.head.take() {
            write_end(head.headers_mut(), call);
            out.respond.send(&head, true)?;
        } else if let Some(stream) = &mut out.stream {
            write_end(&mut trailers, call);
            if trailers.is_empty() {
                stream.send(Bytes::new(), true)?;
            } else {
                stream.send_trailers(&trailers)?;
            }
        }
        Ok(())
    }

    /// The open stream, with the headers sent.
    fn open<'a>(&mut self, out: &'a mut Outbound) -> Result<&'a mut SendHalf, WireError> {
        match &mut out.stream {
            Some(stream) => Ok(stream),
            none => Ok(none.insert(out.respond.send(&self.head.take().unwrap_or_default(), false)?)),
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        if let Some(next) = self.ahead.take() {
            return Poll::Ready(next);
        }
        loop {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(status)) => return Poll::Ready(Next::Failed(status)),
                None => return Poll::Ready(Next::End),
            };
            match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Poll::Ready(Next::Data(data)),
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        return Poll::Ready(Next::Trailers(trailers));
                    }
                }
            }
        }
    }
}

/// Adds the handler's trailing metadata to the headers that end the call, and leaves out what HTTP/2 forbids: for one
/// such header the whole response would be refused.
fn write_end(headers: &mut HeaderMap, call: &ServerCall) {
    call.write_trailers(headers);
    metadata::strip(headers);
}
