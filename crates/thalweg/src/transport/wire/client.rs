//! The client side of a connection: calls out, GOAWAY and keepalive watched (A8).

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, uri};
use thalweg_core::deadline;
use thalweg_http2::{
    config::Role,
    error::Code,
    receive::Receiver,
    send::{self, Refused, Sender},
};
pub(crate) use thalweg_http2::{fields::Fields, head::ResponseHead};

use super::{
    error::{self, Blame},
    halves,
    ledger::Ledger,
    link::{KEEPALIVE, Limits, Link},
    reader::{BATCHES, Reader},
    seam,
    slot::Slot,
    stream::{Inbound, Stream},
    writer::{LAST_WORDS, Writer},
};
pub(crate) use super::{slot::Whole, stream::SendHalf};
use crate::{
    error::{ConnectError, WireError, WireErrorKind},
    io::{BoxIo, PeerInfo},
    rt::{self, Alarm, Task},
    transport::{
        counters::ConnectionStats,
        crowd::Crowd,
        keepalive::{Action, Keepalive, KeepaliveState},
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
#[derive(Clone, Debug)]
pub(crate) struct Connection(Arc<Handle>);

/// What opens calls.
#[derive(Debug)]
struct Handle {
    link: Arc<Link>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.link.abandon();
    }
}

/// The head of a request, as the call path has it.
#[derive(Debug)]
pub(crate) struct RequestHead<'a> {
    pub(crate) scheme: &'a uri::Scheme,
    pub(crate) authority: &'a uri::Authority,
    pub(crate) path: &'a uri::PathAndQuery,
    pub(crate) user_agent: &'a HeaderValue,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) timeout: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
}

/// A stream that was just opened.
#[derive(Debug)]
pub(crate) struct Opened {
    /// `None` if all has been sent.
    pub(crate) send: Option<SendHalf>,
    pub(crate) receive: ReceiveHalf,
}

/// Why no stream was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OpenError {
    /// As many calls are in flight as the server allows, or others wait for theirs: wait for a turn.
    Full,
    /// The connection takes no more calls.
    Unusable,
    /// The server does not accept so much metadata.
    HeadersTooLarge {
        /// Bytes, as HTTP/2 counts them.
        size: usize,
        /// Bytes.
        limit: usize,
    },
}

/// Speaks HTTP/2 on `io` and waits for the server's SETTINGS. The connection moves while the second of the two runs,
/// and `on_event` hears from it what becomes of it. When it has room, `crowd` does. It is in the `ledger` from the beginning.
pub(crate) async fn connect<F: Fn(ConnectionEvent) + Unpin>(
    io: BoxIo,
    peer: PeerInfo,
    http2: &Http2Options,
    keepalive: Keepalive,
    crowd: Arc<Crowd>,
    ledger: &Arc<Ledger>,
    on_event: F,
) -> Result<(Connection, Drive<F>), ConnectError> {
    let config = seam::config(Role::Client, http2);
    let link = Arc::new(Link::new(Sender::new(Role::Client, &config), peer, Limits::of(http2), Some(crowd)));
    let presence = ledger.begin(&link);
    let (read, write) = halves::split(io);
    let receiver = Receiver::new(Role::Client, &config);
    let mut reader = Reader::new(link.clone(), read, receiver, http2.gather_from, presence.clone());
    let writer = Writer::start(link.clone(), write, http2, presence);
    if let Err(error) = poll_fn(|cx| reader.poll_settled(cx)).await {
        reader.finish(&error);
        writer.detach();
        return Err(ConnectError::Handshake(error));
    }
    link.note_settings();
    let connection = Connection(Arc::new(Handle { link: link.clone() }));
    let drive = Drive {
        link,
        reader,
        keepalive: KeepaliveState::new(keepalive, rt::now()),
        alarm: Alarm::default(),
        draining: false,
        leaves: None,
        over: false,
        _writer: writer,
        on_event,
    };
    Ok((connection, drive))
}

impl Connection {
    /// Both ends of the connection.
    pub(crate) fn peer(&self) -> &PeerInfo {
        &self.0.link.peer
    }

    /// Opens a stream for a call, with the first of its data if they are there, which are taken; `end`: they are all. What
    /// comes wakes `reader`. Unless it is the `turn` of this call, others that wait go first. If it fails, the call has not
    /// left this client.
    pub(crate) fn open(
        &self,
        head: &RequestHead<'_>,
        first: &mut Option<Bytes>,
        end: bool,
        reader: &Waker,
        turn: bool,
    ) -> Result<Opened, OpenError> {
        let link = &self.0.link;
        if !turn && link.is_crowded() {
            return Err(OpenError::Full);
        }
        let slot = Arc::new(Slot::new(head.deadline, Some(reader.clone())));
        let timeout = head.timeout.map(deadline::encode);
        let head = send::RequestHead {
            path: head.path,
            https: *head.scheme == uri::Scheme::HTTPS,
            authority: head.authority.as_str(),
            timeout: timeout.as_ref().map(deadline::Timeout::as_bytes),
            user_agent: head.user_agent,
            metadata: head.headers,
        };
        let (id, waiting) = link.open(&head, first, end, &slot).map_err(|refused| match refused {
            Refused::Full => OpenError::Full,
            Refused::Draining | Refused::Closed | Refused::IdsExhausted => OpenError::Unusable,
            Refused::HeadersTooLarge { size, limit } => OpenError::HeadersTooLarge { size, limit },
        })?;
        let stream = Stream { link: link.clone(), slot, id };
        let send = (!end).then(|| SendHalf::of_client(stream.clone(), waiting));
        Ok(Opened { send, receive: ReceiveHalf(Inbound::new(stream)) })
    }

    /// How many more calls can be opened now.
    pub(crate) fn room(&self) -> usize {
        self.0.link.room()
    }

    /// What the connection has done so far, and where it stands.
    pub(crate) fn stats(&self) -> ConnectionStats {
        self.0.link.stats()
    }
}

/// The receiving half of a stream. Dropping it before the end resets the stream with CANCEL.
pub(crate) struct ReceiveHalf(Inbound);

impl ReceiveHalf {
    /// Both ends of the connection.
    pub(crate) fn peer(&self) -> &PeerInfo {
        &self.0.stream.link.peer
    }

    /// The response's head, and all of the rest if that is there and simple; otherwise the body follows.
    pub(crate) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<(ResponseHead, Option<Whole>), WireError>> {
        self.0.poll_head(cx)
    }

    /// What was whole is to be read piece by piece after all.
    pub(crate) fn put_back(&mut self, whole: Whole) {
        self.0.put_back(whole);
    }

    /// Has the stream ended, with no trailers to come?
    pub(crate) fn is_ended(&self) -> bool {
        self.0.is_ended()
    }

    /// The next piece of the body; `None` before the trailers. What is handed over here may be sent again by the peer.
    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, WireError>>> {
        self.0.poll_data(cx)
    }

    /// The trailers, if any, after the body.
    pub(crate) fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Fields>, WireError>> {
        self.0.poll_trailers(cx)
    }
}

impl Drop for ReceiveHalf {
    fn drop(&mut self) {
        if !self.0.abandon() {
            self.0.stream.reset();
        }
    }
}

impl fmt::Debug for ReceiveHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveHalf").field("peer", self.peer()).finish_non_exhaustive()
    }
}

/// What moves one connection, to be run in a task of its own.
pub(crate) struct Drive<F: Fn(ConnectionEvent)> {
    link: Arc<Link>,
    reader: Reader,
    keepalive: KeepaliveState,
    alarm: Alarm,
    /// It was said that no new calls can be opened.
    draining: bool,
    /// Until when what nobody waits for any more may be written.
    leaves: Option<Instant>,
    /// It was said that the connection has ended.
    over: bool,
    _writer: Task,
    on_event: F,
}

impl<F: Fn(ConnectionEvent)> Drive<F> {
    /// Reads what there is. Ready with an error when the connection is over, or otherwise when others should have a turn.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        for _ in 0..BATCHES {
            let read = ready!(self.reader.poll_batch(cx));
            read.map_err(|error| match &self.reader.heard.go_away {
                // The server said why before it closed.
                Some(away) if error.kind == WireErrorKind::Closed && away.code != Code::NO_ERROR => {
                    WireError { processed: error.processed, ..error::of_go_away(away) }
                }
                _ => error,
            })?;
            self.hear();
        }
        Poll::Ready(Ok(()))
    }

    fn hear(&mut self) {
        for pong in self.reader.heard.pongs.drain(..) {
            if pong == KEEPALIVE {
                self.keepalive.on_pong(rt::now());
            }
        }
        if std::mem::take(&mut self.reader.heard.settings) {
            self.link.note_settings();
        }
        if let Some(away) = &self.reader.heard.go_away
            && !self.draining
        {
            if !away.debug.is_empty() {
                tracing::debug!(code = away.code.name(), debug = away.debug, "the server said GOAWAY");
            }
            let error = error::of_go_away(away);
            self.drain(error);
        }
    }

    /// No new calls.
    fn drain(&mut self, error: WireError) {
        if !self.draining {
            self.draining = true;
            (self.on_event)(ConnectionEvent::Draining(error));
        }
    }

    /// Does what is due and sets the alarm for what is not. Ready when a ping was not answered, or the last words were not
    /// taken in time.
    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<WireError> {
        loop {
            let now = rt::now();
            let deadline = self.link.next_deadline();
            if deadline.is_some_and(|deadline| deadline <= now) {
                self.reader.sweep(now);
                continue;
            }
            if self.leaves.is_some_and(|at| at <= now) {
                return Poll::Ready(error::closed());
            }
            let keepalive = match self.keepalive.decide(now, self.reader.last_read(), self.link.calls() > 0) {
                // A call may have begun since.
                Action::Wait(None) if self.keepalive.is_on() && !self.link.await_call() => continue,
                Action::Wait(until) => until,
                Action::Close => {
                    self.link.blame(Blame::Silence);
                    return Poll::Ready(error::ours(WireErrorKind::KeepaliveTimedOut));
                }
                Action::Ping => {
                    self.link.ping();
                    continue;
                }
            };
            self.alarm.set([deadline, keepalive, self.leaves].into_iter().flatten().min());
            ready!(self.alarm.poll_ring(cx));
        }
    }

    fn finish(&mut self, error: WireError) {
        self.over = true;
        self.reader.finish(&error);
        (self.on_event)(ConnectionEvent::Closed(error));
        self.alarm.set(Some(rt::now() + LAST_WORDS));
    }

    /// Ready with the reason when the connection is over.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<WireError> {
        self.link.reading.attend(cx);
        if self.link.is_used_up() {
            self.drain(error::closed());
        }
        match self.poll_read(cx) {
            Poll::Ready(Err(error)) => return Poll::Ready(error),
            Poll::Ready(Ok(())) => cx.waker().wake_by_ref(),
            Poll::Pending => {}
        }
        if self.link.is_done() {
            self.reader.go_away(Code::NO_ERROR, "");
            return Poll::Ready(error::closed());
        }
        if self.link.is_left() {
            self.leaves.get_or_insert_with(|| rt::now() + LAST_WORDS);
        }
        self.poll_time(cx)
    }
}

impl<F: Fn(ConnectionEvent) + Unpin> Future for Drive<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !this.over {
            let Poll::Ready(error) = this.poll_end(cx) else { return Poll::Pending };
            this.finish(error);
        }
        this.link.poll_written(&mut this.alarm, cx)
    }
}

impl<F: Fn(ConnectionEvent)> Drop for Drive<F> {
    /// With the runtime the connection ends too.
    fn drop(&mut self) {
        if !self.over {
            self.finish(error::closed());
        }
    }
}
