//! The client side of a connection: calls out, GOAWAY and keepalive watched.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{
            AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use h2::{
    Ping, PingPong, RecvStream,
    client::{Builder, ResponseFuture, SendRequest},
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version, uri};
use thalweg_core::deadline;
use tokio::sync::Notify;

use super::error::{closed, wire_error};
pub(crate) use super::send::SendHalf;
use crate::{
    error::{ConnectError, Processed, Who, WireError, WireErrorKind},
    io::{BoxIo, PeerInfo},
    rt::{self, Alarm},
    transport::{
        activity::{LastRead, Watched},
        batch::Batch,
        keepalive::{Action, Keepalive, KeepaliveState},
        metadata::header_list_size,
        options::Http2Options,
    },
};

/// What becomes of a connection after it was READY.
#[derive(Debug)]
pub(crate) enum ConnectionEvent {
    /// No new calls: the server said GOAWAY, or the stream ids have run out. Calls in flight go on.
    Draining(WireError),
    /// It has ended.
    Closed(WireError),
}

/// One connection to a server that has sent its SETTINGS. Cheap to clone; it closes when the last clone is gone and
/// the last call has ended.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Link>);

struct Link {
    send: SendRequest<Bytes>,
    facts: Arc<Facts>,
}

/// What outlives the handle: calls in flight know it too.
#[derive(Debug)]
struct Facts {
    peer: PeerInfo,
    calls: AtomicUsize,
    /// The server's MAX_CONCURRENT_STREAMS, as of the last look.
    max_calls: AtomicUsize,
    /// Calls that wait for another to end.
    waiting: AtomicUsize,
    room: Notify,
    /// Bytes that a list of headers may have.
    max_header_list_size: usize,
    /// Why we closed it ourselves.
    ended: OnceLock<WireErrorKind>,
}

/// The head of a request, as the call path has it.
#[derive(Debug)]
pub(crate) struct RequestHead<'a> {
    pub(crate) scheme: &'a uri::Scheme,
    pub(crate) authority: &'a uri::Authority,
    pub(crate) path: &'a uri::PathAndQuery,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) timeout: Option<Duration>,
}

/// h2 starts with this limit and replaces it when the server's SETTINGS arrive. It has no other sign of them; a server
/// that allowed just this odd number of calls would seem never to have sent any.
const NOT_SETTLED: usize = 0x5e77_1e57;

/// Speaks HTTP/2 on `io` and waits for the server's SETTINGS. The connection moves while the second of the two runs,
/// and `on_event` hears from it what becomes of it.
pub(crate) async fn connect<F: Fn(ConnectionEvent) + Unpin>(
    io: BoxIo,
    peer: PeerInfo,
    http2: &Http2Options,
    keepalive: Keepalive,
    on_event: F,
) -> Result<(Connection, Drive<F>), ConnectError> {
    let last_read = LastRead::new();
    let keepalive = KeepaliveState::new(keepalive, rt::now());
    let io = Watched::new(io, keepalive.is_on().then(|| last_read.clone()));
    let handshake = |error: h2::Error| ConnectError::Handshake(wire_error(&error));
    let (send, mut connection) = builder(http2).handshake::<_, Bytes>(io).await.map_err(handshake)?;
    std::future::poll_fn(|cx| match Pin::new(&mut connection).poll(cx) {
        Poll::Ready(Ok(())) => Poll::Ready(Err(ConnectError::Handshake(closed()))),
        Poll::Ready(Err(error)) => Poll::Ready(Err(handshake(error))),
        Poll::Pending if send.current_max_send_streams() == NOT_SETTLED => Poll::Pending,
        Poll::Pending => Poll::Ready(Ok(())),
    })
    .await?;
    let facts = Arc::new(Facts {
        peer,
        calls: AtomicUsize::new(0),
        max_calls: AtomicUsize::new(send.current_max_send_streams()),
        waiting: AtomicUsize::new(0),
        room: Notify::new(),
        max_header_list_size: http2.max_header_list_size as usize,
        ended: OnceLock::new(),
    });
    let link = Arc::new(Link { send, facts: facts.clone() });
    let ping = if keepalive.is_on() { connection.ping_pong() } else { None };
    let link_for_driver = Arc::downgrade(&link);
    let drive = Drive {
        connection,
        link: link_for_driver,
        facts,
        ping,
        keepalive,
        last_read,
        alarm: Alarm::default(),
        batch: Batch::default(),
        on_event,
    };
    Ok((Connection(link), drive))
}

fn builder(options: &Http2Options) -> Builder {
    let mut builder = Builder::new();
    builder
        .initial_window_size(options.stream_window)
        .initial_connection_window_size(options.connection_window)
        .max_frame_size(options.max_frame_size)
        // h2 drops what is over the limit without a word. A list up to this comes through, to be refused by name.
        .max_header_list_size(options.max_header_list_size.saturating_mul(16))
        .max_send_buffer_size(options.max_send_buffer)
        .initial_max_send_streams(NOT_SETTLED)
        .data_frame_budget(options.small_frame_budget())
        // Answers that cross the reset of a call count here, over the connection's whole life: deadlines must not end it.
        .max_local_error_reset_streams(None)
        .enable_push(false);
    builder
}

impl Connection {
    /// Both ends of the connection.
    pub(crate) fn peer(&self) -> &PeerInfo {
        &self.0.facts.peer
    }

    /// Opens a stream for a call. If that fails, the call has not left this client.
    ///
    /// A call that is over the server's limit is not given to h2, which would keep it even after it is given up.
    pub(crate) fn open(&self, head: &RequestHead<'_>) -> Result<(SendHalf, ReceiveHalf), OpenError> {
        if !self.0.facts.has_room() {
            return Err(OpenError::Full);
        }
        // Counted before the connection hears of it, or keepalive might overlook the call.
        let call = InFlight::enter(&self.0.facts);
        let (response, send) =
            self.0.send.clone().send_request(request(head), false).map_err(|_| OpenError::Unusable)?;
        Ok((SendHalf::new(send), ReceiveHalf { stage: Stage::Headers(response), call }))
    }

    /// Ready when a call that was [`Full`](OpenError::Full) may try again.
    pub(crate) async fn room(&self) {
        let facts = &self.0.facts;
        let _waiting = Waiting::enter(facts);
        let notified = facts.room.notified();
        tokio::pin!(notified);
        // From here on no end of a call is missed.
        notified.as_mut().enable();
        if !facts.has_room() {
            notified.await;
        }
    }
}

/// Why no stream was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OpenError {
    /// As many calls are in flight as the server allows: wait for [`Connection::room`].
    Full,
    /// The connection takes no more calls.
    Unusable,
}

impl Facts {
    fn has_room(&self) -> bool {
        self.calls.load(SeqCst) < self.max_calls.load(Relaxed)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.0.facts).finish()
    }
}

fn request(head: &RequestHead<'_>) -> Request<()> {
    let mut parts = uri::Parts::default();
    parts.scheme = Some(head.scheme.clone());
    parts.authority = Some(head.authority.clone());
    parts.path_and_query = Some(head.path.clone());
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    *request.headers_mut() = head.headers.clone();
    if let Some(timeout) = head.timeout {
        let encoded = deadline::encode(timeout);
        if let Ok(value) = HeaderValue::from_str(encoded.as_str()) {
            request.headers_mut().insert("grpc-timeout", value);
        }
    }
    request
}

/// The receiving half of a stream. Dropping it before the end resets the stream with CANCEL, once the sending half is
/// gone too.
pub(crate) struct ReceiveHalf {
    stage: Stage,
    call: InFlight,
}

/// Counts a call among those in flight for as long as it lives.
struct InFlight(Arc<Facts>);

impl InFlight {
    fn enter(facts: &Arc<Facts>) -> Self {
        facts.calls.fetch_add(1, SeqCst);
        Self(facts.clone())
    }
}

/// Counts a call among those that wait for room.
struct Waiting<'a>(&'a Facts);

impl<'a> Waiting<'a> {
    fn enter(facts: &'a Facts) -> Self {
        facts.waiting.fetch_add(1, SeqCst);
        Self(facts)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, SeqCst);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, SeqCst);
        if self.0.waiting.load(SeqCst) > 0 {
            self.0.room.notify_one();
        }
    }
}

enum Stage {
    Headers(ResponseFuture),
    Body(RecvStream),
}

impl ReceiveHalf {
    /// Both ends of the connection.
    pub(crate) fn peer(&self) -> &PeerInfo {
        &self.call.0.peer
    }

    /// The response's head; the body follows.
    pub(crate) fn poll_headers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<()>, WireError>> {
        let Stage::Headers(response) = &mut self.stage else { return Poll::Pending };
        match ready!(Pin::new(response).poll(cx)) {
            Ok(response) => {
                let (head, body) = response.into_parts();
                self.stage = Stage::Body(body);
                self.measure(&head.headers)?;
                Poll::Ready(Ok(Response::from_parts(head, ())))
            }
            Err(error) => Poll::Ready(Err(self.explain(&error))),
        }
    }

    /// Has the stream ended, with no trailers to come?
    pub(crate) fn is_ended(&self) -> bool {
        matches!(&self.stage, Stage::Body(body) if body.is_end_stream())
    }

    /// The next piece of the body; `None` before the trailers. What is handed over here may be sent again by the peer.
    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, WireError>>> {
        let Stage::Body(body) = &mut self.stage else { return Poll::Pending };
        Poll::Ready(match ready!(body.poll_data(cx)) {
            Some(Ok(data)) => {
                // Fails only on a stream that is closed, where nobody waits for the window.
                let _ = body.flow_control().release_capacity(data.len());
                Some(Ok(data))
            }
            Some(Err(error)) => Some(Err(self.explain(&error))),
            None => None,
        })
    }

    /// The trailers, if any, after the body.
    pub(crate) fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, WireError>> {
        let Stage::Body(body) = &mut self.stage else { return Poll::Pending };
        let trailers = ready!(body.poll_trailers(cx)).map_err(|error| self.explain(&error))?;
        if let Some(trailers) = &trailers {
            self.measure(trailers)?;
        }
        Poll::Ready(Ok(trailers))
    }

    fn measure(&self, headers: &HeaderMap) -> Result<(), WireError> {
        let (size, limit) = (header_list_size(headers), self.call.0.max_header_list_size);
        if size <= limit {
            return Ok(());
        }
        let kind = WireErrorKind::HeadersTooLarge { size, limit };
        Err(WireError { who: Who::Local, processed: Processed::Maybe, kind })
    }

    /// Our own reason for closing the connection, or for refusing the response, explains more than the stream's error.
    fn explain(&self, error: &h2::Error) -> WireError {
        let kind = match self.call.0.ended.get() {
            Some(kind) if error.is_io() => kind.clone(),
            // h2 does not tell the two apart.
            _ if error.is_reset() && error.is_library() => WireErrorKind::Protocol(
                "the response is not valid HTTP/2, or its headers are larger than max_header_list_size".into(),
            ),
            _ => return wire_error(error),
        };
        WireError { who: Who::Local, processed: Processed::Maybe, kind }
    }
}

impl fmt::Debug for ReceiveHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveHalf").field("peer", self.peer()).finish_non_exhaustive()
    }
}

/// What moves one connection, to be run in a task of its own.
pub(crate) struct Drive<F> {
    connection: h2::client::Connection<Watched<BoxIo>, Bytes>,
    /// Gone when nobody can open calls any more, or after GOAWAY.
    link: Weak<Link>,
    facts: Arc<Facts>,
    ping: Option<PingPong>,
    keepalive: KeepaliveState,
    last_read: LastRead,
    alarm: Alarm,
    batch: Batch,
    on_event: F,
}

impl<F: Fn(ConnectionEvent)> Drive<F> {
    /// h2 tells of a GOAWAY only by refusing to be ready, and of a new limit not at all.
    fn look_for_news(&mut self, cx: &mut Context<'_>) {
        let Some(link) = self.link.upgrade() else { return };
        let max_calls = link.send.current_max_send_streams();
        if self.facts.max_calls.swap(max_calls, Relaxed) < max_calls {
            self.facts.room.notify_waiters();
        }
        if let Poll::Ready(Err(error)) = link.send.clone().poll_ready(cx) {
            self.link = Weak::new();
            (self.on_event)(ConnectionEvent::Draining(wire_error(&error)));
        }
    }

    /// Pings a silent server; ready when it did not answer.
    fn poll_keepalive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(ping) = &mut self.ping else { return Poll::Pending };
        loop {
            if let Poll::Ready(Ok(_)) = ping.poll_pong(cx) {
                self.keepalive.on_pong(rt::now());
            }
            let active = self.facts.calls.load(Relaxed) > 0;
            match self.keepalive.decide(rt::now(), self.last_read.at(), active) {
                Action::Close => return Poll::Ready(()),
                // A failure to send shows on the connection itself.
                Action::Ping => drop(ping.send_ping(Ping::opaque())),
                Action::Wait(until) => {
                    self.alarm.set(until);
                    if self.alarm.poll_ring(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl<F: Fn(ConnectionEvent) + Unpin> Future for Drive<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        ready!(this.batch.poll(this.facts.calls.load(Relaxed), cx));
        if let Poll::Ready(result) = Pin::new(&mut this.connection).poll(cx) {
            let error = result.map_or_else(|error| wire_error(&error), |()| closed());
            (this.on_event)(ConnectionEvent::Closed(error));
            return Poll::Ready(());
        }
        this.look_for_news(cx);
        ready!(this.poll_keepalive(cx));
        let kind = this.facts.ended.get_or_init(|| WireErrorKind::KeepaliveTimedOut).clone();
        (this.on_event)(ConnectionEvent::Closed(WireError { who: Who::Local, processed: Processed::Maybe, kind }));
        Poll::Ready(())
    }
}
