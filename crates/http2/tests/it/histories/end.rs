//! One end of the connection: both of its halves, and what its application knows.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes, BytesMut};
use thalweg_http2::{
    config::{Config, Role},
    exchange::{Cut, News},
    fields::Fields,
    frame::settings::Settings,
    head::{RequestHead, ResponseHead},
    receive::{Payload, Receiver, Sink},
    send::{Outgoing, Progress, Sender},
};

use super::{
    operation::Side,
    stream::{Ended, Stream, byte},
};

/// What the application of one end hears.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) side: Side,
    pub(crate) streams: BTreeMap<u32, Stream>,
    /// `x-call` of requests in their order, as it came.
    pub(crate) names: Vec<(u32, Option<String>)>,
}

impl App {
    fn open(&mut self, id: u32) -> &mut Stream {
        let stream = self.streams.get_mut(&id).expect("events are for streams that exist");
        assert!(stream.ended.is_none(), "stream {id}: an event after the end");
        stream
    }

    fn other(&self) -> Side {
        if self.side == Side::Client { Side::Server } else { Side::Client }
    }
}

impl Sink for App {
    type Stream = u32;

    fn request(&mut self, id: u32, head: RequestHead, end: bool) -> u32 {
        assert_eq!((head.path.as_str(), head.fields.is_grpc, head.fields.cut), ("/a.Service/Method", true, false));
        let name = head.fields.get("x-call").map(|value| value.to_str().expect("it is ASCII").to_owned());
        self.names.push((id, name));
        let ended = end.then_some(Ended::Well);
        assert!(self.streams.insert(id, Stream { ended, ..Stream::default() }).is_none(), "stream {id}: opened twice");
        id
    }

    fn response(&mut self, id: &u32, head: ResponseHead, end: bool) {
        let stream = self.open(*id);
        assert!(!stream.is_answered && head.status == 200, "stream {id}: a second head");
        stream.is_answered = true;
        stream.ended = end.then_some(Ended::Well);
    }

    fn data(&mut self, id: &u32, payload: Payload<'_>, end: bool) {
        let sender = self.other();
        let stream = self.open(*id);
        let payload = payload.into_bytes();
        let expected = (stream.heard..).map(|at| byte(sender, *id, at));
        assert!(payload.iter().copied().eq(expected.take(payload.len())), "stream {id}: wrong bytes");
        stream.heard += payload.len();
        stream.unread += payload.len();
        stream.ended = end.then_some(Ended::Well);
    }

    fn trailers(&mut self, id: &u32, fields: Fields) {
        assert_eq!(fields.grpc_status, Some(0));
        self.open(*id).ended = Some(Ended::Well);
    }

    fn cut(&mut self, id: &u32, cut: Cut) {
        assert!(!matches!(cut, Cut::Violation(_)), "stream {id}: {cut:?}");
        let is_server = self.side == Side::Server;
        let stream = self.streams.get_mut(id).expect("events are for streams that exist");
        // A client can give up a call after it has said all it had to say.
        let is_open = stream.ended.is_none() || (is_server && stream.ended == Some(Ended::Well));
        assert!(is_open, "stream {id}: cut after the end");
        stream.ended = Some(Ended::Cut(cut));
    }

    fn ping(&mut self) {}

    fn pong(&mut self, _: [u8; 8]) {}

    fn settings(&mut self, _: &Settings) {}
}

/// One end.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) sender: Sender<u32>,
    pub(crate) receiver: Receiver<u32>,
    pub(crate) app: App,
    /// What is under way to the other end.
    pub(crate) pipe: BytesMut,
    inbox: BytesMut,
    outgoing: Outgoing,
    news: News<u32>,
}

impl End {
    pub(crate) fn new(side: Side, config: &Config) -> Self {
        let role = if side == Side::Client { Role::Client } else { Role::Server };
        Self {
            sender: Sender::new(role, config),
            receiver: Receiver::new(role, config),
            app: App { side, streams: BTreeMap::new(), names: vec![] },
            pipe: BytesMut::new(),
            inbox: BytesMut::new(),
            outgoing: Outgoing::default(),
            news: News::default(),
        }
    }

    /// The reader hears what callers have done.
    fn learn(&mut self) {
        self.sender.news(&mut self.news);
        self.receiver.learn(&mut self.news, &mut self.app);
        for id in self.sender.drained().drain(..) {
            let stream = self.app.streams.get_mut(&id).expect("who waits has a stream");
            let was_waiting = std::mem::take(&mut stream.is_waiting) | std::mem::take(&mut stream.may_wait);
            assert!(was_waiting, "stream {id}: told twice that it waits no longer");
        }
    }

    /// The writer takes what there is.
    pub(crate) fn flush(&mut self) {
        self.learn();
        self.sender.take(&mut self.outgoing);
        let bytes = self.outgoing.copy_to_bytes(self.outgoing.remaining());
        self.pipe.extend_from_slice(&bytes);
        self.learn();
    }

    /// Bytes arrive, at a time in milliseconds.
    pub(crate) fn hear(&mut self, bytes: &[u8], now: u64) {
        self.inbox.extend_from_slice(bytes);
        self.learn();
        self.receiver.receive(&mut self.inbox, now, &mut self.app).expect("the other end breaks no rule");
        self.sender.apply(self.receiver.effects()).expect("the other end makes no useless work");
        self.learn();
    }

    /// The application sends its next bytes on a stream.
    pub(crate) fn send(&mut self, id: u32, count: usize, end: bool) {
        let stream = self.app.streams.get_mut(&id).expect("it is chosen from those that exist");
        let chunk: Bytes = (stream.sent..stream.sent + count).map(|at| byte(self.app.side, id, at)).collect();
        match self.sender.data(id, chunk, end, &id) {
            Ok(progress) => {
                stream.sent += count;
                stream.is_said |= end;
                stream.is_waiting |= progress == Progress::Waiting;
            }
            Err(_) => assert!(self.sender.stream_window(id).is_none(), "stream {id} is not over"),
        }
    }

    /// The application reads what has come.
    pub(crate) fn read(&mut self, id: u32) {
        if let Some(stream) = self.app.streams.get_mut(&id) {
            let bytes = std::mem::take(&mut stream.unread);
            self.sender.credit(id, bytes as u32);
        }
    }

    /// Does anything wait to be sent?
    pub(crate) fn is_quiet(&self) -> bool {
        self.pipe.is_empty() && !self.sender.wants_write()
    }
}
