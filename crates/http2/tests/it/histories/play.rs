//! Plays a history, and checks after every step what has to hold.

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue, StatusCode, uri::PathAndQuery};
use thalweg_http2::{
    error::Code,
    frame::settings::Settings,
    send::{Progress, Refused, RequestHead},
};

use super::{
    end::End,
    operation::{Operation, Setting, Side},
    stream::{Ended, Stream, byte},
};

/// Rounds in which everything must have come to an end, once nobody holds anything up.
const ROUNDS: usize = 2000;

struct Play {
    setting: Setting,
    client: End,
    server: End,
    /// `x-call` of the calls in their order.
    names: Vec<(u32, Option<String>)>,
    /// The server has said its last GOAWAY.
    goes_away: bool,
    /// Milliseconds.
    now: u64,
}

pub(crate) fn play(setting: Setting, operations: &[Operation]) {
    let config = setting.config();
    let client = End::new(Side::Client, &config);
    let server = End::new(Side::Server, &config);
    let mut play = Play { setting, client, server, names: vec![], goes_away: false, now: 0 };
    // Calls begin when the server's SETTINGS have come.
    for side in [Side::Server, Side::Client] {
        play.end(side).flush();
        play.deliver(side, usize::MAX);
    }
    for operation in operations {
        play.step(*operation);
        play.check();
    }
    play.finish();
}

impl Play {
    fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// One of the streams of this end that are of use.
    fn choose(&mut self, side: Side, which: usize, of_use: impl Fn(&Stream) -> bool) -> Option<u32> {
        let streams = &self.end(side).app.streams;
        let ids: Vec<u32> = streams.iter().filter(|(_, stream)| of_use(stream)).map(|(id, _)| *id).collect();
        if ids.is_empty() { None } else { Some(ids[which % ids.len()]) }
    }

    fn step(&mut self, operation: Operation) {
        match operation {
            Operation::Open { bytes, end, metadata } => self.open(bytes, end, metadata),
            Operation::Send { side, which, bytes, end } => {
                let Some(id) = self.choose(side, which, |stream| !stream.is_said) else { return };
                if side == Side::Server {
                    self.respond(id);
                }
                self.end(side).send(id, bytes, end);
            }
            Operation::Trailers { which } => {
                let Some(id) = self.choose(Side::Server, which, |stream| !stream.is_said) else { return };
                self.respond(id);
                self.trailers(id);
            }
            Operation::Answer { which, bytes } => self.answer(which, bytes),
            Operation::Reset { side, which } => {
                let Some(id) = self.choose(side, which, |stream| !stream.is_reset) else { return };
                let end = self.end(side);
                let is_over = !end.sender.reset(id, Code::CANCEL);
                let stream = end.app.streams.get_mut(&id).expect("it was chosen");
                stream.is_said = true;
                stream.is_reset |= !is_over;
            }
            Operation::Read { side, which } => {
                if let Some(id) = self.choose(side, which, |stream| stream.unread > 0) {
                    self.end(side).read(id);
                }
            }
            Operation::Withhold { side, withhold } => self.end(side).sender.withhold(withhold),
            Operation::Window { side, thousandths } => self.window(side, thousandths),
            Operation::GoAway { last } => {
                // What was said once is not taken back.
                self.goes_away |= last;
                let last = if self.goes_away { self.server.receiver.last_stream() } else { i32::MAX as u32 };
                self.server.sender.go_away(last, Code::NO_ERROR, "the end");
                if self.goes_away {
                    self.server.receiver.refuse_new();
                }
            }
            Operation::Ping { side } => self.end(side).sender.ping([1; 8]),
            Operation::Flush { side } => self.end(side).flush(),
            Operation::Deliver { side, bytes } => self.deliver(side, bytes),
        }
    }

    fn open(&mut self, bytes: usize, end: bool, metadata: u8) {
        let mut headers = HeaderMap::new();
        // Some names come again and again, some once, most calls have none.
        let name = match metadata {
            0 => Some(format!("once-{}", self.names.len())),
            1 | 2 => Some("again".to_owned()),
            _ => None,
        };
        if let Some(name) = &name {
            headers.insert("x-call", HeaderValue::from_str(name).expect("it is ASCII"));
        }
        let path = PathAndQuery::from_static("/a.Service/Method");
        let user_agent = HeaderValue::from_static("histories");
        let timeout = (metadata == 7).then_some(&b"12345u"[..]);
        let head = RequestHead {
            path: &path,
            https: false,
            authority: "host",
            timeout,
            user_agent: &user_agent,
            metadata: &headers,
        };
        let mut id = 0;
        let first = |id: u32| (0..bytes).map(|at| byte(Side::Client, id, at)).collect::<Bytes>();
        // The bytes depend on the id, which is the next after the last one.
        let next = self.client.app.streams.last_key_value().map_or(1, |(last, _)| last + 2);
        let before = self.client.sender.active();
        match self.client.sender.open(&head, &mut Some(first(next)), end, |opened| {
            id = opened;
            opened
        }) {
            Ok(opened) => assert_eq!((opened, id), (next, next)),
            Err(Refused::Full) => return assert!(before >= self.setting.max_concurrent as usize),
            Err(Refused::Draining) => return,
            Err(refused) => panic!("{refused}"),
        }
        let stream = Stream { sent: bytes, is_said: end, may_wait: bytes > 0, ..Stream::default() };
        self.client.app.streams.insert(id, stream);
        self.names.push((id, name));
    }

    fn respond(&mut self, id: u32) {
        let stream = self.server.app.streams.get_mut(&id).expect("it was chosen");
        if !std::mem::replace(&mut stream.is_answered, true) {
            let over = self.server.sender.respond(id, StatusCode::OK, &HeaderMap::new(), false).is_err();
            assert!(!over || self.server.sender.stream_window(id).is_none());
        }
    }

    fn trailers(&mut self, id: u32) {
        let ended = self.server.sender.trailers(id, &status());
        let stream = self.server.app.streams.get_mut(&id).expect("it was chosen");
        stream.is_said = true;
        assert!(ended.is_ok() || self.server.sender.stream_window(id).is_none(), "stream {id} is not over");
    }

    fn answer(&mut self, which: usize, bytes: usize) {
        let Some(id) = self.choose(Side::Server, which, |stream| !stream.is_answered && !stream.is_said) else {
            return;
        };
        let chunk = (0..bytes).map(|at| byte(Side::Server, id, at)).collect::<Bytes>();
        let answered = self.server.sender.answer(id, StatusCode::OK, &HeaderMap::new(), chunk, &status(), &id);
        let stream = self.server.app.streams.get_mut(&id).expect("it was chosen");
        stream.is_answered = true;
        stream.is_said = true;
        match answered {
            Ok(progress) => {
                stream.sent = bytes;
                stream.is_waiting = progress == Progress::Waiting;
            }
            Err(_) => assert!(self.server.sender.stream_window(id).is_none(), "stream {id} is not over"),
        }
    }

    /// SETTINGS that the receiver knows nothing of: they may only take something back for a while.
    fn window(&mut self, side: Side, thousandths: u32) {
        if !self.setting.adapts {
            let size = (u64::from(self.setting.stream_window) * u64::from(thousandths) / 1000) as u32;
            let settings = Settings { initial_window_size: Some(size), ..Settings::default() };
            let end = self.end(side);
            end.flush();
            let mut frame = vec![];
            settings.write(&mut frame);
            end.pipe.extend_from_slice(&frame);
        }
    }

    /// Bytes from `side` arrive at the other end.
    fn deliver(&mut self, side: Side, bytes: usize) {
        self.now += 1;
        let now = self.now;
        let pipe = &mut self.end(side).pipe;
        let bytes = pipe.copy_to_bytes(bytes.min(pipe.len()));
        let other = if side == Side::Client { Side::Server } else { Side::Client };
        self.end(other).hear(&bytes, now);
    }

    fn check(&self) {
        for (here, there) in [(&self.client, &self.server), (&self.server, &self.client)] {
            let windows = here.sender.windows();
            assert!(windows.send >= 0, "the connection's window is {}", windows.send);
            assert!(windows.send <= there.receiver.window(), "more may be sent than may come");
            for id in here.app.streams.keys() {
                let (Some(send), Some(receive)) = (here.sender.stream_window(*id), there.receiver.stream_window(*id))
                else {
                    continue;
                };
                assert!(send <= receive, "stream {id}: {send} may be sent, {receive} may come");
            }
        }
        assert!(self.client.sender.active() <= self.setting.max_concurrent as usize);
    }

    /// Everything that was begun is brought to its end.
    fn finish(&mut self) {
        for side in [Side::Client, Side::Server] {
            self.window(side, 1000);
            self.end(side).sender.withhold(false);
        }
        for _ in 0..ROUNDS {
            for side in [Side::Client, Side::Server] {
                self.end_all(side);
                self.end(side).flush();
                self.deliver(side, usize::MAX);
                self.check();
            }
            if self.is_over() {
                return self.take_stock();
            }
        }
        let open = |end: &End| {
            let open = end.app.streams.iter().filter(|(_, stream)| stream.ended.is_none() && !stream.is_reset);
            format!("{:?}", open.collect::<Vec<_>>())
        };
        panic!("no end: {} | {}", open(&self.client), open(&self.server));
    }

    fn end_all(&mut self, side: Side) {
        self.end(side).sender.release();
        let ids: Vec<u32> = self.end(side).app.streams.keys().copied().collect();
        for id in ids {
            self.end(side).read(id);
            if self.end(side).app.streams[&id].is_said {
                continue;
            }
            if side == Side::Client {
                self.client.send(id, 0, true);
                self.client.app.streams.get_mut(&id).expect("it exists").is_said = true;
            } else {
                self.respond(id);
                self.trailers(id);
            }
        }
    }

    fn is_over(&self) -> bool {
        let is_done = |end: &End| end.is_quiet() && end.sender.active() == 0 && end.receiver.streams().count() == 0;
        is_done(&self.client) && is_done(&self.server)
    }

    /// At the end both know the same.
    fn take_stock(&self) {
        assert_eq!(self.client.sender.windows().send, self.server.receiver.window(), "a byte was not credited once");
        assert_eq!(self.server.sender.windows().send, self.client.receiver.window(), "a byte was not credited once");
        let names = self.server.app.names.iter();
        names.for_each(|name| assert!(self.names.contains(name), "{name:?} came, which was not sent"));
        for (id, here) in &self.client.app.streams {
            assert!(here.ended.is_some() || here.is_reset, "stream {id} never ended");
            assert!(!here.is_waiting, "stream {id}: nobody said that it waits no longer");
            let Some(there) = self.server.app.streams.get(id) else { continue };
            assert!(!there.is_waiting, "stream {id}: nobody said that it waits no longer");
            if here.ended == Some(Ended::Well) {
                assert_eq!(here.heard, there.sent, "stream {id}: some of the answer is missing");
            }
        }
        for end in [&self.client, &self.server] {
            assert_eq!(end.sender.windows().receive, end.receiver.window(), "the halves of an end differ");
            let counters = end.sender.counters();
            assert_eq!(counters.stream_errors, 0, "something honest was taken for an offence");
            assert_eq!(counters.streams_started, counters.streams_succeeded + counters.streams_failed);
            assert_eq!(counters.streams_started, end.app.streams.len() as u64);
        }
    }
}

fn status() -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))])
}
