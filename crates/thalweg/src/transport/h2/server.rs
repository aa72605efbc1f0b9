//! The server side of a connection: calls in, answers out.

use std::{
    fmt,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::{
    Ping, PingPong, Reason, RecvStream,
    server::{Builder, SendResponse},
};
use http::{HeaderMap, Request, Response};

use super::error::{reset_by_peer, wire_error};
pub(crate) use super::send::SendHalf;
use crate::{
    error::WireError,
    io::BoxIo,
    transport::{activity::Watched, options::Http2Options},
};

/// How many calls a client may open and reset before we have looked at them. Against rapid resets, yet room enough for
/// a client that gives up a burst of calls at once.
const UNSEEN_RESETS: usize = 1000;
/// How many streams that we have reset h2 remembers, so that frames still on their way to them are no offence.
const REMEMBERED_RESETS: usize = 1024;
/// How many frames for streams that are reset and forgotten a connection may bring in its whole life. It bounds what a
/// client gains by provoking resets, and is out of reach of those whose frames cross ours now and then.
const STRAY_FRAMES: usize = 10_000;

/// One connection from a client. It moves only while it is polled.
pub(crate) struct ServerConnection {
    connection: h2::server::Connection<Watched<BoxIo>, Bytes>,
    ping: Option<PingPong>,
}

/// A call that has come in.
pub(crate) struct Incoming {
    /// Its head.
    pub(crate) request: Request<()>,
    /// Its body.
    pub(crate) body: RequestHalf,
    /// The way to answer.
    pub(crate) respond: Respond,
}

impl ServerConnection {
    /// Sends our SETTINGS and reads the client's preface.
    pub(crate) async fn handshake(
        io: Watched<BoxIo>,
        options: &Http2Options,
        max_concurrent_streams: u32,
    ) -> Result<Self, WireError> {
        let mut builder = Builder::new();
        builder
            .initial_window_size(options.stream_window)
            .initial_connection_window_size(options.connection_window)
            .max_frame_size(options.max_frame_size)
            // h2 can only answer 431. A list up to twice the limit comes through, to be refused in words of gRPC.
            .max_header_list_size(options.max_header_list_size.saturating_mul(2))
            .max_send_buffer_size(options.max_send_buffer)
            .max_concurrent_streams(max_concurrent_streams)
            .max_pending_accept_reset_streams(UNSEEN_RESETS)
            .max_concurrent_reset_streams(REMEMBERED_RESETS)
            .max_local_error_reset_streams(Some(STRAY_FRAMES))
            .data_frame_budget(options.small_frame_budget());
        let mut connection = builder.handshake(io).await.map_err(|error| wire_error(&error))?;
        let ping = connection.ping_pong();
        Ok(Self { connection, ping })
    }

    /// Moves the connection on. The next call; `None` when the connection has ended well.
    pub(crate) fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Incoming, WireError>>> {
        self.connection.poll_accept(cx).map(|accepted| {
            let accepted = accepted?.map_err(|error| wire_error(&error));
            Some(accepted.map(|(request, respond)| {
                let (head, body) = request.into_parts();
                Incoming { request: Request::from_parts(head, ()), body: RequestHalf(body), respond: Respond(respond) }
            }))
        })
    }

    /// Moves the connection on without taking calls; ready when it has ended.
    pub(crate) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.poll_closed(cx).map(|_| ())
    }

    /// Is any stream open?
    pub(crate) fn has_calls(&self) -> bool {
        self.connection.has_streams()
    }

    /// Sends GOAWAY, and a second one when the client has acknowledged the first; the connection ends after its last
    /// call.
    pub(crate) fn drain(&mut self) {
        self.connection.graceful_shutdown();
    }

    /// Ends all calls and the connection with GOAWAY.
    pub(crate) fn cut(&mut self) {
        self.connection.abrupt_shutdown(Reason::NO_ERROR);
    }

    /// Sends a ping. If that fails the connection itself will say so.
    pub(crate) fn ping(&mut self) {
        if let Some(ping) = &mut self.ping {
            let _ = ping.send_ping(Ping::opaque());
        }
    }

    /// Ready when the ping is answered.
    pub(crate) fn poll_pong(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.ping {
            Some(ping) => match ready!(ping.poll_pong(cx)) {
                Ok(_) => Poll::Ready(()),
                Err(_) => Poll::Pending,
            },
            None => Poll::Pending,
        }
    }
}

impl fmt::Debug for ServerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConnection").finish_non_exhaustive()
    }
}

/// The request's body. What it hands over, the client may send again.
pub(crate) struct RequestHalf(RecvStream);

impl RequestHalf {
    /// Has the request ended, with no trailers to come?
    pub(crate) fn is_ended(&self) -> bool {
        self.0.is_end_stream()
    }

    /// The next piece; `None` before the trailers.
    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, WireError>>> {
        Poll::Ready(match ready!(self.0.poll_data(cx)) {
            Some(Ok(data)) => {
                // Fails only on a stream that is closed, where nobody waits for the window.
                let _ = self.0.flow_control().release_capacity(data.len());
                Some(Ok(data))
            }
            Some(Err(error)) => Some(Err(wire_error(&error))),
            None => None,
        })
    }

    /// The trailers, if any, after the body.
    pub(crate) fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, WireError>> {
        self.0.poll_trailers(cx).map_err(|error| wire_error(&error))
    }
}

impl fmt::Debug for RequestHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestHalf").field(&self.0.stream_id().as_u32()).finish()
    }
}

/// The way to answer a call. Dropped unused, it resets the stream.
pub(crate) struct Respond(SendResponse<Bytes>);

impl Respond {
    /// Sends the response's head; `end` if nothing follows.
    pub(crate) fn send(&mut self, head: Response<()>, end: bool) -> Result<SendHalf, WireError> {
        self.0.send_response(head, end).map(SendHalf::new).map_err(|error| wire_error(&error))
    }

    /// Ready when the client has reset the stream, or the connection is lost. Only before the head is sent.
    pub(crate) fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<WireError> {
        self.0.poll_reset(cx).map(|reset| reset.map_or_else(|error| wire_error(&error), reset_by_peer))
    }
}

impl fmt::Debug for Respond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Respond").field(&self.0.stream_id().as_u32()).finish()
    }
}
