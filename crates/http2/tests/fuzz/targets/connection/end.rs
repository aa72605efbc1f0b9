//! Both halves of our end, what is done with them, and what has to hold after each step.

use std::collections::BTreeSet;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, uri::PathAndQuery};
use thalweg_http2::{
    config::{Config, Role},
    error::{Code, Violation},
    exchange::News,
    flow::INITIAL,
    frame::{HEAD, PREFACE},
    receive::Receiver,
    send::{Gone, Outgoing, Progress, Refused, RequestHead, Sender},
};

use super::{
    app::{App, Stream},
    wire::{Allowed, Wire},
};

/// The beginning of a message that has no end, so that nobody counts many small ones.
static BODY: [u8; 30_000] = {
    let mut body = [0; 30_000];
    body[1] = 1;
    body
};
/// How many bytes callers send at once.
const SIZES: [usize; 4] = [0, 10, 5000, BODY.len()];
/// Bytes of a head or of trailers, at most.
const HEADERS: u64 = 200;
/// The introduction and the farewell, at most.
const COURTESIES: u64 = 200;

pub(super) struct End {
    role: Role,
    config: Config,
    sender: Sender<u32>,
    receiver: Receiver<u32>,
    app: App,
    wire: Wire,
    allowed: Allowed,
    inbox: BytesMut,
    outgoing: Outgoing,
    news: News<u32>,
    /// Milliseconds.
    now: u64,
    /// Our last GOAWAY is said.
    is_leaving: bool,
    /// Bytes that callers gave reason for.
    caused: u64,
    /// Bytes that the peer sent.
    heard: u64,
    /// Bytes that we sent.
    said: u64,
    /// Bytes under the connection's flow control that came.
    received: u64,
}

impl End {
    pub(super) fn new(role: Role, config: Config) -> Self {
        Self {
            role,
            sender: Sender::new(role, &config),
            receiver: Receiver::new(role, &config),
            config,
            app: App::new(role),
            wire: Wire::new(role),
            allowed: Allowed::default(),
            inbox: BytesMut::new(),
            outgoing: Outgoing::default(),
            news: News::default(),
            now: 0,
            is_leaving: false,
            caused: COURTESIES,
            heard: 0,
            said: 0,
            received: 0,
        }
    }

    pub(super) fn perform(&mut self, operation: u8, rest: &mut &[u8]) {
        let how = operation >> 4;
        match operation & 15 {
            0..=3 => {
                let (now, later) = rest.split_at((1 << how).min(rest.len()));
                *rest = later;
                self.hear(now);
            }
            4 => self.flush(),
            5 if self.role == Role::Client => self.open(how),
            5 => self.respond(how),
            6 => self.send(how, false),
            7 if self.role == Role::Client => self.send(how, true),
            7 => self.end(how),
            8 if self.role == Role::Client => self.open(how),
            8 => self.answer(how),
            9 => self.reset(how),
            10 => self.read(),
            11 if how == 15 => self.sender.release(),
            11 => self.sender.withhold(how % 2 == 1),
            12 => self.ping(how),
            13 => self.now += 1 << how,
            14 if how == 15 => self.close(),
            14 => self.go_away(how % 2 == 1),
            _ => self.learn(),
        }
    }

    /// Bytes come from the peer.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        if self.sender.is_closed() {
            return;
        }
        self.heard += bytes.len() as u64;
        self.inbox.extend_from_slice(bytes);
        self.learn();
        let outcome = self.receiver.receive(&mut self.inbox, self.now, &mut self.app);
        if outcome.is_ok() {
            let most = HEAD + self.config.max_frame_size as usize;
            let missing = self.receiver.missing();
            assert!(self.inbox.len() < most && missing > 0 && missing <= most + PREFACE.len(), "{missing} are missing");
        }
        self.note_effects();
        let applied = self.sender.apply(self.receiver.effects());
        self.learn();
        match outcome.and(applied) {
            Ok(()) => self.check(),
            Err(violation) => self.fail(&violation),
        }
    }

    /// The connection ends for what the peer or callers did.
    fn fail(&mut self, violation: &Violation) {
        assert!(!violation.text.is_empty() && violation.code != Code::NO_ERROR);
        self.caused += violation.text.len() as u64;
        self.sender.go_away(self.receiver.last_stream(), violation.code, &violation.text);
        self.close();
    }

    /// What the peer has allowed us to send.
    fn note_effects(&mut self) {
        let effects = self.receiver.effects();
        self.received += u64::from(effects.received);
        for settings in &effects.settings {
            self.allowed.initial = self.allowed.initial.max(settings.initial_window_size.unwrap_or(0));
            self.allowed.frame = self.allowed.frame.max(settings.max_frame_size.unwrap_or(0));
        }
        for (id, increment) in &effects.windows {
            if *id == 0 {
                self.allowed.connection += i64::from(*increment);
            } else {
                *self.allowed.streams.entry(*id).or_default() += i64::from(*increment);
            }
        }
    }

    /// The reader hears what callers have done, and callers that they wait no longer.
    fn learn(&mut self) {
        self.sender.news(&mut self.news);
        let closed = self.news.closed.clone();
        self.receiver.learn(&mut self.news, &mut self.app);
        for id in closed {
            self.app.streams.get_mut(&id).expect("what is closed was open").is_over = true;
        }
        for id in self.sender.drained().drain(..) {
            let stream = self.app.streams.get_mut(&id).expect("who waits has a stream");
            let was_waiting = std::mem::take(&mut stream.is_waiting) | std::mem::take(&mut stream.may_wait);
            assert!(was_waiting, "stream {id}: told twice that it waits no longer");
        }
    }

    fn flush(&mut self) {
        self.learn();
        if let Some(fault) = self.sender.fault().filter(|_| !self.sender.is_closed()) {
            self.fail(&fault);
        }
        self.sender.take(&mut self.outgoing);
        let bytes = self.outgoing.copy_to_bytes(self.outgoing.remaining());
        self.learn();
        self.wire.see(&bytes, &self.allowed);
        self.said += bytes.len() as u64;
        let most = 2 * self.heard + self.caused;
        assert!(self.said <= most, "{} bytes said, {} heard, {} caused by callers", self.said, self.heard, self.caused);
    }

    fn open(&mut self, how: u8) {
        let path = PathAndQuery::from_static(["/a/b", "/a/c"][usize::from(how & 1)]);
        let user_agent = HeaderValue::from_static("fuzz");
        let first = [None, Some(0), Some(10), Some(SIZES[3])][usize::from(how >> 1 & 3)];
        let mut first = first.map(|len| Bytes::from_static(&BODY[..len]));
        let (bytes, end) = (first.as_ref().map_or(0, Bytes::len), how & 8 != 0);
        let head = RequestHead {
            path: &path,
            https: false,
            authority: "a",
            timeout: (how & 1 == 1).then_some(&b"1S"[..]),
            user_agent: &user_agent,
            metadata: &HeaderMap::new(),
        };
        let (was_closed, had_room) = (self.sender.is_closed(), self.sender.has_room());
        match self.sender.open(&head, &mut { first }, end, |id| id) {
            Ok(id) => {
                let stream = Stream { may_wait: bytes > 0, we_ended: end, ..Stream::default() };
                assert!(self.app.streams.insert(id, stream).is_none(), "stream {id}: opened twice");
                self.cause(bytes);
            }
            Err(Refused::Closed) => assert!(was_closed),
            Err(Refused::Full) => assert!(!had_room),
            Err(Refused::Draining | Refused::IdsExhausted | Refused::HeadersTooLarge { .. }) => {}
        }
    }

    /// One of the streams that this end knows of.
    fn choose(&self, how: u8) -> Option<u32> {
        let last = self.app.streams.len().checked_sub(1)?;
        self.app.streams.keys().rev().nth(usize::from(how & 3).min(last)).copied()
    }

    fn respond(&mut self, how: u8) {
        let Some(id) = self.choose(how).filter(|id| !self.app.streams[id].is_answered) else { return };
        let status = if how & 4 == 0 { StatusCode::OK } else { StatusCode::NOT_FOUND };
        let end = how & 8 != 0;
        self.say(id, end, 0, |sender| sender.respond(id, status, &HeaderMap::new(), end).map(|()| Progress::Sent));
    }

    fn send(&mut self, how: u8, end: bool) {
        if self.role == Role::Server {
            self.respond(how & 3);
        }
        let Some(id) = self.choose(how) else { return };
        let bytes = SIZES[usize::from(how >> 2)];
        self.say(id, end, bytes, |sender| sender.data(id, Bytes::from_static(&BODY[..bytes]), end, &id));
    }

    fn end(&mut self, how: u8) {
        self.respond(how & 3);
        let Some(id) = self.choose(how) else { return };
        self.say(id, true, 0, |sender| sender.trailers(id, &status()).map(|()| Progress::Sent));
    }

    fn answer(&mut self, how: u8) {
        let Some(id) = self.choose(how).filter(|id| !self.app.streams[id].is_answered) else { return };
        let bytes = SIZES[usize::from(how >> 2)];
        let chunk = Bytes::from_static(&BODY[..bytes]);
        self.say(id, true, bytes, |sender| sender.answer(id, StatusCode::OK, &HeaderMap::new(), chunk, &status(), &id));
    }

    /// A caller says something on a stream, which is refused only if the stream is over: it was, or it is now since the peer
    /// does not accept so many headers.
    fn say(&mut self, id: u32, end: bool, bytes: usize, say: impl FnOnce(&mut Sender<u32>) -> Result<Progress, Gone>) {
        self.cause(bytes);
        let was_active = self.sender.stream_window(id).is_some();
        let outcome = say(&mut self.sender);
        let is_active = self.sender.stream_window(id).is_some();
        let stream = self.app.streams.get_mut(&id).expect("it was chosen");
        assert!(outcome.is_err() || (was_active && !stream.we_ended), "stream {id} is over: {stream:?}");
        assert!(outcome.is_ok() || !is_active || stream.we_ended, "stream {id} is not over: {stream:?}");
        stream.is_answered = true;
        stream.we_ended |= end;
        stream.is_waiting |= outcome == Ok(Progress::Waiting);
    }

    fn reset(&mut self, how: u8) {
        let Some(id) = self.choose(how) else { return };
        let was_active = self.sender.stream_window(id).is_some();
        assert_eq!(self.sender.reset(id, Code(u32::from(how))), was_active, "stream {id}");
        assert!(!self.sender.reset(id, Code::CANCEL), "stream {id}: reset twice");
        self.cause(0);
    }

    fn read(&mut self) {
        for (id, stream) in &mut self.app.streams {
            self.sender.credit(*id, std::mem::take(&mut stream.unread));
        }
    }

    fn ping(&mut self, how: u8) {
        if !self.sender.is_closed() {
            self.cause(0);
            self.sender.ping([how; 8]);
        }
    }

    fn go_away(&mut self, is_last: bool) {
        if self.sender.is_closed() {
            return;
        }
        self.cause(0);
        self.is_leaving |= is_last;
        let last = if self.is_leaving { self.receiver.last_stream() } else { i32::MAX as u32 };
        self.sender.go_away(last, Code::NO_ERROR, "bye");
        if self.is_leaving && self.role == Role::Server {
            self.receiver.refuse_new();
        }
    }

    fn close(&mut self) {
        self.sender.close();
        self.learn();
        assert_eq!(self.sender.active(), 0);
        let waiting: Vec<_> = self.app.streams.iter().filter(|(_, stream)| stream.is_waiting).collect();
        assert!(waiting.is_empty(), "{waiting:?} still wait");
    }

    /// Room for what an operation makes us say: headers, data with the heads of their frames, a reset.
    fn cause(&mut self, bytes: usize) {
        self.caused += 2 * HEADERS + bytes as u64 + bytes as u64 / 100;
    }

    /// What holds whenever both halves know of each other's doings.
    fn check(&mut self) {
        let windows = self.sender.windows();
        assert!(windows.send >= 0, "{windows:?}");
        assert_eq!(windows.receive, self.receiver.window(), "the halves differ on the connection's window");
        let known: BTreeSet<u32> = self.receiver.streams().map(|(id, _)| id).collect();
        let open = self.app.streams.iter().filter(|(_, stream)| !stream.is_over).map(|(id, _)| *id);
        assert!(known.iter().copied().eq(open), "{known:?}, but {:?}", self.app.streams);
        assert_eq!(self.sender.active(), known.len(), "the halves differ on their streams");
        assert!(known.iter().all(|id| self.sender.stream_window(*id).is_some()));
        assert!(self.role == Role::Client || known.len() <= self.config.max_concurrent_streams as usize);
        let counters = self.sender.counters();
        let ended = counters.streams_succeeded + counters.streams_failed;
        assert_eq!(counters.streams_started, ended + known.len() as u64, "{counters:?}");
        assert_eq!(counters.bytes_received + self.inbox.len() as u64, self.heard);
        assert!(self.app.heard <= self.received);
    }

    /// When everything was read, everything was credited, but for what a frame under way still lacks.
    fn check_credits(&self) {
        if self.config.adaptive_window.is_some() {
            return;
        }
        let wider = u64::from(self.config.connection_window - INITIAL);
        assert_eq!(self.wire.granted, wider + self.received, "a byte was not credited once");
        let mut lacking = 0;
        for (id, _) in self.receiver.streams().filter(|(id, _)| !self.app.streams[id].peer_ended) {
            let window = self.receiver.stream_window(id).expect("it is one of the receiver's");
            // A window smaller than the first one holds when the peer has acknowledged it.
            let full = [self.config.stream_window, INITIAL].map(i64::from).into_iter().find(|full| *full >= window);
            lacking += full.expect("no more is allowed than was announced") - window;
        }
        assert!(lacking <= self.receiver.missing() as i64, "{lacking} bytes were not credited");
    }

    /// Everything that is owed is sent, and the connection ends.
    pub(super) fn finish(&mut self) {
        if !self.sender.is_closed() {
            self.sender.withhold(false);
            self.sender.release();
            self.read();
            self.flush();
        }
        if !self.sender.is_closed() {
            self.check();
            self.check_credits();
            let counters = self.sender.counters();
            assert_eq!(counters.bytes_sent, self.said);
            assert!(self.wire.pongs == self.app.pings && self.wire.settings_acks == self.app.settings.len());
            self.close();
        }
        self.flush();
        assert!(!self.sender.wants_write());
        let over = self.sender.open(
            &RequestHead {
                path: &PathAndQuery::from_static("/"),
                https: true,
                authority: "",
                timeout: None,
                user_agent: &HeaderValue::from_static(""),
                metadata: &HeaderMap::new(),
            },
            &mut None,
            true,
            |id| id,
        );
        assert_eq!(over, Err(Refused::Closed));
    }
}

fn status() -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))])
}
