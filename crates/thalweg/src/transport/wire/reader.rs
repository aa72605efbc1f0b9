//! The reading side of a connection: bytes in batches, each under at most two short holds of the sender's lock.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Instant,
};

use bytes::{BufMut, BytesMut};
use thalweg_http2::{
    error::{Code, Violation},
    exchange::{Cut, GoAway, News},
    fields::Fields,
    frame::settings::Settings,
    head::{RequestHead, ResponseHead},
    receive::{Payload, Receiver, Sink},
};
use tokio::io::AsyncReadExt;

use super::{
    error::{self, Blame},
    gathering::Gathering,
    halves::ReadHalf,
    inquiry::Inquiry,
    ledger::Presence,
    link::Link,
    slot::{Delivered, Slot},
    unread::Held,
};
use crate::{
    error::{Processed, WireError, WireErrorKind},
    rt,
    transport::counters::StreamStats,
};

/// The room that a read has on a quiet connection, and the most that it has for large messages.
const READ: (usize, usize) = (8 << 10, 128 << 10);

/// Reads in a row before other tasks have their turn.
pub(super) const BATCHES: u32 = 4;

/// Calls that one read wakes from which on the next one need not be larger.
const MANY: usize = 64;

/// What the owner of a connection hears of, beyond what goes to its calls.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Calls that came in.
    pub(super) requests: VecDeque<(u32, RequestHead, Arc<Slot>)>,
    /// Answers to our PINGs.
    pub(super) pongs: Vec<[u8; 8]>,
    /// PINGs of the peer's.
    pub(super) pings: u32,
    /// The peer's last GOAWAY.
    pub(super) go_away: Option<GoAway>,
    /// The peer has sent SETTINGS.
    pub(super) settings: bool,
}

/// Reads and understands.
pub(super) struct Reader {
    link: Arc<Link>,
    io: ReadHalf,
    inbox: BytesMut,
    /// The room for the next read.
    room: usize,
    receiver: Receiver<Arc<Slot>>,
    news: News<Arc<Slot>>,
    wakes: Vec<Waker>,
    /// The last read filled its room.
    filled: bool,
    gathering: Gathering,
    /// For the owner of the connection.
    pub(super) heard: Heard,
    start: Instant,
    last_read: Instant,
    presence: Arc<Presence>,
}

impl Reader {
    pub(super) fn new(
        link: Arc<Link>,
        io: ReadHalf,
        receiver: Receiver<Arc<Slot>>,
        gather_from: usize,
        presence: Arc<Presence>,
    ) -> Self {
        let now = rt::now();
        Self {
            link,
            io,
            inbox: BytesMut::new(),
            room: READ.0,
            receiver,
            news: News::default(),
            wakes: Vec::new(),
            filled: false,
            gathering: Gathering::new(gather_from),
            heard: Heard::default(),
            start: now,
            last_read: now,
            presence,
        }
    }

    /// When bytes last came in; the beginning, if none did.
    pub(super) fn last_read(&self) -> Instant {
        self.last_read
    }

    /// Streams that the peer opens from now on are none of ours.
    pub(super) fn refuse_new(&mut self) {
        self.receiver.refuse_new();
    }

    /// Ready when the peer's SETTINGS have come, or with an error when they never will.
    pub(super) fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        while !self.heard.settings {
            self.link.reading.attend(cx);
            ready!(self.poll_batch(cx))?;
        }
        self.presence.open();
        Poll::Ready(Ok(()))
    }

    /// Reads once, and does what the frames say. Ready with an error when the connection is over.
    pub(super) fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        if let Some(violation) = self.link.fault() {
            return Poll::Ready(Err(self.condemn(violation.clone())));
        }
        for Inquiry { connection, answer } in self.link.inquiries.take() {
            // Whoever asked may have gone.
            let _ = answer.send(self.streams(connection));
        }
        ready!(self.poll_turn(cx));
        let Poll::Ready(read) = self.poll_read(cx) else {
            // What had been said before writing failed has been heard.
            let Some(error) = self.link.failed().cloned() else { return Poll::Pending };
            return self.lost(Blame::Network, error);
        };
        let read = match read {
            Ok(0) => return self.lost(Blame::Peer, self.link.failed().cloned().unwrap_or_else(error::closed)),
            Ok(read) => read,
            Err(error) => return self.lost(Blame::Network, error::of_io(&error)),
        };
        self.last_read = rt::now();
        let understood = self.understand();
        let woken = self.wakes.len() + self.heard.requests.len();
        self.adapt(read, woken);
        if self.gathering.begin(woken, self.link.traffic()) {
            self.link.gather();
        }
        self.wake();
        Poll::Ready(understood)
    }

    fn lost(&self, blame: Blame, error: WireError) -> Poll<Result<(), WireError>> {
        self.link.blame(blame);
        Poll::Ready(Err(error))
    }

    /// Ready when those whom the last batch has woken have had their turn, and what they wrote is on its way.
    fn poll_turn(&mut self, cx: &Context<'_>) -> Poll<()> {
        if ready!(self.gathering.poll_turn(cx)) {
            self.gathering.note(self.link.gathered());
        }
        Poll::Ready(())
    }

    /// Makes room for what comes next. A read that fills its room has left something behind, which is worth a larger one if
    /// it was of few calls: many are better served in portions, while the peer works on the answer to the one before.
    fn adapt(&mut self, read: usize, woken: usize) {
        if self.filled && woken < MANY {
            self.room = (self.room * 2).min(READ.1);
        } else if (read < self.room / 8 || woken > 2 * MANY) && self.room > READ.0 {
            self.room /= 2;
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        let room = self.room.max(self.receiver.missing().min(READ.1));
        if self.inbox.capacity() - self.inbox.len() < room {
            self.inbox.reserve(room);
        }
        let read = ready!(pin!(self.io.read_buf(&mut (&mut self.inbox).limit(room))).poll(cx))?;
        self.filled = read == room;
        Poll::Ready(Ok(read))
    }

    /// Makes events of the frames in the inbox, and tells the sender what follows from them.
    fn understand(&mut self) -> Result<(), WireError> {
        self.learn();
        let Self { link, receiver, news, wakes, heard, inbox, .. } = self;
        let now = self.last_read.saturating_duration_since(self.start).as_millis() as u64;
        let mut sink = Deliver::new(wakes, heard);
        sink.shares = link.unread.may_share();
        let received = receiver.receive(inbox, now, &mut sink);
        link.unread.hold(sink.held);
        let effects = receiver.effects();
        effects.counters.reads += 1;
        if let Some(away) = &effects.go_away {
            heard.go_away = Some(away.clone());
        }
        let applied = link.with(|sender| {
            // Under the lock, so that whoever reads enough in the meantime has the last word.
            sender.withhold(link.unread.must_withhold());
            let before = sender.active();
            let applied = sender.apply(effects);
            link.note_ended(before.saturating_sub(sender.active()));
            sender.news(news);
            applied
        });
        receiver.learn(news, &mut Deliver::new(wakes, heard));
        received.and(applied).map_err(|violation| self.condemn(violation))
    }

    /// Tells the peer which rule it broke, for which the connection ends.
    pub(super) fn condemn(&self, violation: Violation) -> WireError {
        self.link.blame(Blame::Violation(violation.rule));
        self.go_away(violation.code, &violation.text);
        error::of_violation(violation)
    }

    /// Tells the peer why the connection ends, and which of its streams are the last to be processed.
    pub(super) fn go_away(&self, code: Code, text: &str) {
        let last = self.receiver.last_stream();
        self.link.with(|sender| sender.go_away(last, code, text));
    }

    /// Hears of the streams that were opened and given up. Before the answers to any of them are looked at.
    fn learn(&mut self) {
        let Self { link, receiver, news, wakes, heard, .. } = self;
        link.tell(|sender| sender.news(news));
        receiver.learn(news, &mut Deliver::new(wakes, heard));
    }

    /// The open streams, as both halves of the protocol know them.
    fn streams(&mut self, connection: u64) -> Vec<StreamStats> {
        self.learn();
        let receiver = &self.receiver;
        self.link.look(|sender| {
            let known = receiver.streams().filter_map(|(id, _)| {
                let (send_window, receive_window) = (sender.stream_window(id)?, receiver.stream_window(id)?);
                Some(StreamStats { connection, id, send_window, receive_window, waiting: sender.is_waiting(id) })
            });
            known.collect()
        })
    }

    /// Wakes the calls for which something has come.
    fn wake(&mut self) {
        for wake in self.wakes.drain(..) {
            wake.wake();
        }
    }

    /// Gives up the calls whose deadline has passed.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.link.forget_deadlines();
        self.learn();
        let mut late = Vec::new();
        for (id, slot) in self.receiver.streams() {
            match slot.deadline {
                Some(deadline) if deadline <= now => late.push((id, slot.clone())),
                Some(deadline) => _ = self.link.remember_deadline(deadline),
                None => {}
            }
        }
        for (id, slot) in late {
            self.link.reset(id, Code::CANCEL);
            let delivered = slot.on_cut(|_| error::ours(WireErrorKind::DeadlineExceeded));
            self.wakes.extend(delivered.wake);
        }
        self.learn();
        self.wake();
    }

    /// The connection is over: no call goes on, and none begins.
    pub(super) fn finish(&mut self, error: &WireError) {
        self.link.end(error.clone());
        self.link.inquiries.close();
        // Nobody is waited for any more.
        self.link.gathered();
        let unsent = self.link.with(|sender| {
            sender.close();
            sender.first_unsent()
        });
        self.learn();
        for (id, slot) in self.receiver.streams() {
            let delivered = slot.on_cut(|answered| {
                let processed = processed(id, unsent, answered, error);
                WireError { processed, ..error.clone() }
            });
            self.wakes.extend(delivered.wake);
        }
        self.wake();
        // The writing task says its last words and ends.
        self.link.writing.raise();
    }
}

/// A call whose headers never left has not been processed, and one that was answered has.
fn processed(id: u32, unsent: u32, answered: bool, error: &WireError) -> Processed {
    match (answered, id >= unsent) {
        (true, _) => Processed::Yes,
        (false, true) => Processed::No,
        (false, false) => error.processed,
    }
}

/// Hands events to those who wait for them.
struct Deliver<'a> {
    wakes: &'a mut Vec<Waker>,
    heard: &'a mut Heard,
    held: Held,
    /// Large pieces share the memory that they were read into.
    shares: bool,
}

impl<'a> Deliver<'a> {
    fn new(wakes: &'a mut Vec<Waker>, heard: &'a mut Heard) -> Self {
        Self { wakes, heard, held: Held::default(), shares: true }
    }

    fn note(&mut self, delivered: Delivered) {
        self.held += delivered.held;
        self.wakes.extend(delivered.wake);
    }
}

impl Sink for Deliver<'_> {
    type Stream = Arc<Slot>;

    fn request(&mut self, id: u32, head: RequestHead, end: bool) -> Arc<Slot> {
        let slot = Arc::new(Slot::new(None, None));
        if end {
            let _nobody_reads_yet = slot.on_end();
        }
        self.heard.requests.push_back((id, head, slot.clone()));
        slot
    }

    fn response(&mut self, slot: &Arc<Slot>, head: ResponseHead, end: bool) {
        let delivered = slot.on_head(head, end);
        self.note(delivered);
    }

    fn data(&mut self, slot: &Arc<Slot>, payload: Payload<'_>, end: bool) {
        let delivered = slot.on_data(payload, self.shares, end);
        self.note(delivered);
    }

    fn trailers(&mut self, slot: &Arc<Slot>, trailers: Fields) {
        let delivered = slot.on_trailers(trailers);
        self.note(delivered);
    }

    fn cut(&mut self, slot: &Arc<Slot>, cut: Cut) {
        let delivered = slot.on_cut(|answered| error::of_cut(cut, answered));
        self.note(delivered);
    }

    fn ping(&mut self) {
        self.heard.pings += 1;
    }

    fn pong(&mut self, payload: [u8; 8]) {
        self.heard.pongs.push(payload);
    }

    fn settings(&mut self, _: &Settings) {
        self.heard.settings = true;
    }
}
