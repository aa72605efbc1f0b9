//! The server side of a connection: calls in, answers out.

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use thalweg_http2::{
    config::{Config, Role},
    error::{Code, Rule, Violation},
    fields::Fields,
    flow::LARGEST,
    receive::Receiver,
    send::Sender,
};

use super::{
    error::{self, Blame},
    halves,
    ledger::Ledger,
    link::{Limits, Link},
    reader::{BATCHES, Reader},
    seam::{self, Template},
    stream::{Inbound, Stream},
    writer::Writer,
};
pub(crate) use super::{stream::SendHalf, writer::LAST_WORDS};
use crate::{
    error::WireError,
    io::{BoxIo, PeerInfo},
    rt::{self, Alarm, Task},
    transport::{keepalive::Enforcement, options::Http2Options},
};

/// What the PING carries that tells when the client has seen the first GOAWAY.
const GOODBYE: [u8; 8] = *b"goodbye!";

/// One connection from a client. It moves only while it is polled.
pub(crate) struct ServerConnection {
    link: Arc<Link>,
    reader: Reader,
    enforcement: Enforcement,
    template: Template,
    /// Pings that were answered and not told of.
    pongs: u32,
    /// Calls have come since somebody asked, even if they were given up at once.
    came: bool,
    /// Reads since others had a turn.
    batches: u32,
    /// The client has been told to go.
    drains: bool,
    /// It has been told which of its calls are the last.
    insisted: bool,
    over: Option<WireError>,
    /// What was said last may take until then.
    alarm: Alarm,
    _writer: Task,
}

/// A call that has come in.
pub(crate) struct Incoming {
    /// Its head.
    pub(crate) request: Request<()>,
    /// The size of its header list, of which `request` has no more than is allowed.
    pub(crate) metadata_size: usize,
    /// Its body.
    pub(crate) body: RequestHalf,
    /// The way to answer.
    pub(crate) respond: Respond,
}

impl ServerConnection {
    /// Sends our SETTINGS and reads the client's preface. The connection is in the `ledger` from the beginning.
    pub(crate) async fn handshake(
        io: BoxIo,
        peer: PeerInfo,
        options: &Http2Options,
        max_concurrent_streams: u32,
        enforcement: Enforcement,
        ledger: &Arc<Ledger>,
    ) -> Result<Self, WireError> {
        let config = Config { max_concurrent_streams, ..seam::config(Role::Server, options) };
        let link = Arc::new(Link::new(Sender::new(Role::Server, &config), peer, Limits::of(options), None));
        let presence = ledger.begin(&link);
        let (read, write) = halves::split(io);
        let receiver = Receiver::new(Role::Server, &config);
        let reader = Reader::new(link.clone(), read, receiver, options.gather_from, presence.clone());
        let writer = Writer::start(link.clone(), write, options, presence);
        let mut connection = Self {
            link,
            reader,
            enforcement,
            template: Template::default(),
            pongs: 0,
            came: false,
            batches: 0,
            drains: false,
            insisted: false,
            over: None,
            alarm: Alarm::default(),
            _writer: writer,
        };
        match poll_fn(|cx| connection.reader.poll_settled(cx)).await {
            Ok(()) => Ok(connection),
            Err(error) => {
                connection.finish(error.clone());
                poll_fn(|cx| connection.poll_closed(cx)).await;
                Err(error)
            }
        }
    }

    /// Moves the connection on. The next call; `None` when the connection has ended well.
    pub(crate) fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Incoming, WireError>>> {
        loop {
            self.link.reading.attend(cx);
            if let Some(incoming) = self.next_request() {
                return Poll::Ready(Some(Ok(incoming)));
            }
            if let Some(error) = &self.over {
                let error = error.clone();
                ready!(self.poll_closed(cx));
                let clean = error == error::closed();
                return Poll::Ready((!clean).then_some(Err(error)));
            }
            if self.batches == BATCHES {
                self.batches = 0;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            match self.reader.poll_batch(cx) {
                Poll::Ready(Ok(())) => {
                    self.batches += 1;
                    self.hear();
                    // A client that never stops sending does not keep a connection that has ended.
                    if self.drains && self.link.is_done() {
                        self.finish(error::closed());
                    }
                }
                Poll::Ready(Err(error)) => self.finish(error),
                Poll::Pending if self.link.is_done() => {
                    self.finish(error::closed());
                }
                Poll::Pending => {
                    self.batches = 0;
                    return Poll::Pending;
                }
            }
        }
    }

    fn next_request(&mut self) -> Option<Incoming> {
        loop {
            let (id, head, slot) = self.reader.heard.requests.pop_front()?;
            self.came = true;
            // Given up before anybody looked: no handler ever knows of it.
            if slot.cut().is_some() {
                self.link.release(slot.abandon().0);
                continue;
            }
            let stream = Stream { link: self.link.clone(), slot, id };
            return Some(Incoming {
                metadata_size: head.fields.size,
                request: seam::request(head, &mut self.template),
                body: RequestHalf(Inbound::new(stream.clone())),
                respond: Respond { stream, used: false },
            });
        }
    }

    fn hear(&mut self) {
        for pong in std::mem::take(&mut self.reader.heard.pongs) {
            match pong {
                GOODBYE if self.drains => self.insist(),
                _ => self.pongs += 1,
            }
        }
        for _ in 0..std::mem::take(&mut self.reader.heard.pings) {
            self.judge_ping();
        }
    }

    /// The client has seen the first GOAWAY, or had the time to: now comes the one that takes no more calls.
    pub(crate) fn insist(&mut self) {
        if !std::mem::replace(&mut self.insisted, true) {
            self.reader.refuse_new();
            self.reader.go_away(Code::NO_ERROR, "");
            self.link.abandon();
        }
    }

    /// Ends the connection of a client that pings too often.
    fn judge_ping(&mut self) {
        let (sent, has_calls) =
            self.link.look(|sender| (sender.data_frames() + sender.counters().streams_succeeded, sender.active() > 0));
        if self.over.is_none() && !self.enforcement.allows(self.reader.last_read(), has_calls, sent) {
            let error = self.reader.condemn(Violation::excess(Rule::Pings, "too_many_pings"));
            self.finish(error);
        }
    }

    fn finish(&mut self, error: WireError) {
        if self.over.is_none() {
            self.reader.finish(&error);
            self.over = Some(error);
            self.alarm.set(Some(rt::now() + LAST_WORDS));
        }
    }

    /// Ready when the connection, which is over, has ended: with its last words written, or in vain.
    pub(crate) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.link.poll_written(&mut self.alarm, cx)
    }

    /// Is any stream open?
    pub(crate) fn has_calls(&self) -> bool {
        self.link.calls() > 0
    }

    /// Has any call come since this was last asked, even one that was given up at once?
    pub(crate) fn take_came(&mut self) -> bool {
        std::mem::take(&mut self.came)
    }

    /// From here on [`poll_accept`](Self::poll_accept) wakes its task when the last call has ended.
    pub(crate) fn watch_calls(&self) {
        self.link.watch();
    }

    /// When bytes last came in.
    pub(crate) fn last_read(&self) -> Instant {
        self.reader.last_read()
    }

    /// Sends GOAWAY, and a second one when the client has acknowledged the first; the connection ends after its last
    /// call.
    pub(crate) fn drain(&mut self) {
        if !self.drains && self.over.is_none() {
            self.drains = true;
            self.link.with(|sender| {
                sender.go_away(LARGEST, Code::NO_ERROR, "");
                sender.ping(GOODBYE);
            });
        }
    }

    /// Ends all calls and the connection with GOAWAY.
    pub(crate) fn cut(&mut self) {
        if self.over.is_none() {
            self.reader.go_away(Code::NO_ERROR, "");
            self.finish(error::closed());
        }
    }

    /// The client has not answered a ping in time: that is why the connection will be [cut](Self::cut).
    pub(crate) fn note_silence(&self) {
        self.link.blame(Blame::Silence);
    }

    /// Sends a ping. If that fails the connection itself will say so.
    pub(crate) fn ping(&mut self) {
        // Only what comes from now on answers it.
        self.pongs = 0;
        self.link.ping();
    }

    /// Ready when a ping was answered. The reading is done by [`poll_accept`](Self::poll_accept).
    pub(crate) fn poll_pong(&mut self) -> Poll<()> {
        if std::mem::take(&mut self.pongs) > 0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for ServerConnection {
    fn drop(&mut self) {
        self.finish(error::closed());
    }
}

impl fmt::Debug for ServerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConnection").field("link", &self.link).finish_non_exhaustive()
    }
}

/// The request's body. What it hands over, the client may send again.
#[derive(Debug)]
pub(crate) struct RequestHalf(Inbound);

impl RequestHalf {
    /// Has the request ended, with no trailers to come?
    pub(crate) fn is_ended(&self) -> bool {
        self.0.is_ended()
    }

    /// The next piece; `None` before the trailers.
    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, WireError>>> {
        self.0.poll_data(cx)
    }

    /// The trailers, if any, after the body.
    pub(crate) fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, WireError>> {
        self.0.poll_trailers(cx).map_ok(|trailers| trailers.map(Fields::into_map))
    }
}

impl Drop for RequestHalf {
    /// The rest of the request is not read. The answer goes on.
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// The way to answer a call. Dropped unused, it resets the stream.
#[derive(Debug)]
pub(crate) struct Respond {
    stream: Stream,
    used: bool,
}

impl Respond {
    /// Sends the response's head; `end` if nothing follows.
    pub(crate) fn send(&mut self, head: &Response<()>, end: bool) -> Result<SendHalf, WireError> {
        self.used = true;
        let Stream { link, id, .. } = &self.stream;
        let sent = link.with(|sender| sender.respond(*id, head.status(), head.headers(), end));
        sent.map_err(|_| self.stream.gone())?;
        Ok(SendHalf::of_server(self.stream.clone(), end))
    }

    /// Sends a whole response of one chunk.
    pub(crate) fn answer(&mut self, head: &Response<()>, chunk: Bytes, trailers: &HeaderMap) -> Result<(), WireError> {
        self.used = true;
        let Stream { link, slot, id } = &self.stream;
        let sent = link.with(|sender| sender.answer(*id, head.status(), head.headers(), chunk, trailers, slot));
        sent.map(drop).map_err(|_| self.stream.gone())
    }

    /// Ready when the client has reset the stream, or the connection is lost. Only before the head is sent.
    pub(crate) fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<WireError> {
        self.stream.poll_over(false, cx)
    }
}

impl Drop for Respond {
    fn drop(&mut self) {
        if !self.used {
            self.stream.reset();
        }
    }
}
