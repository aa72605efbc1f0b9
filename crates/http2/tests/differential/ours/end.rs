//! One end: the halves, the byte stream, and what is said next.

use std::collections::BTreeMap;

use bytes::{Buf, BytesMut};
use http::{StatusCode, uri::PathAndQuery};
use thalweg_http2::{
    config::Role,
    error::Code,
    exchange::News,
    frame::settings::Settings,
    receive::Receiver,
    send::{Gone, Outgoing, RequestHead, Sender},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{
    app::{App, Talk},
    config,
};
use crate::{
    heard::{Heard, Told, body},
    milestone::Milestones,
    session::{Call, Session, Side, Step},
};

/// By this the server learns that its first GOAWAY was heard.
const GOODBYE: [u8; 8] = *b"goodbye!";
/// How much is read at once, at most.
const READ: usize = 16 << 10;

pub(super) struct End<'a> {
    side: Side,
    session: &'a Session,
    milestones: &'a Milestones,
    sender: Sender<u32>,
    receiver: Receiver<u32>,
    app: App,
    news: News<u32>,
    inbox: BytesMut,
    outbox: BytesMut,
    outgoing: Outgoing,
    /// All that came.
    bytes: Vec<u8>,
    /// SETTINGS that were said between the frames of the sender.
    changes: usize,
    pings: u32,
    goodbye: Option<u32>,
    /// The client has heard all it is to hear, or the server has said the first word of its farewell.
    is_leaving: bool,
    /// The server has said the last.
    has_left: bool,
}

impl<'a> End<'a> {
    pub(super) fn new(side: Side, session: &'a Session, milestones: &'a Milestones) -> Self {
        let (role, from) = match side {
            Side::Client => (Role::Client, Side::Server),
            Side::Server => (Role::Server, Side::Client),
        };
        let config = config(session.setup(side));
        let told = vec![Told::default(); session.calls.len()];
        Self {
            side,
            session,
            milestones,
            sender: Sender::new(role, &config),
            receiver: Receiver::new(role, &config),
            app: App { from, talks: BTreeMap::new(), told, pongs: 0 },
            news: News::default(),
            inbox: BytesMut::new(),
            outbox: BytesMut::new(),
            outgoing: Outgoing::default(),
            bytes: vec![],
            changes: 0,
            pings: 0,
            goodbye: None,
            is_leaving: false,
            has_left: false,
        }
    }

    /// What was heard; of the connection only the client hears something.
    pub(super) fn played(self) -> (Heard, Vec<u8>) {
        let is_client = self.side == Side::Client;
        let (pongs, goodbye) = if is_client { (self.app.pongs, self.goodbye) } else { (0, None) };
        (Heard { calls: self.app.told, pongs, goodbye }, self.bytes)
    }

    /// Goes on until the other end closes the byte stream.
    pub(super) async fn run(&mut self, io: DuplexStream) {
        let (mut read, mut write) = tokio::io::split(io);
        let (milestones, calls) = (self.milestones, self.session.calls.len());
        let mut can_write = true;
        loop {
            self.act();
            self.fill();
            if can_write && self.outbox.is_empty() && self.is_done() {
                can_write = false;
                let _already_closed = write.shutdown().await;
            }
            self.inbox.reserve(READ);
            let before = self.inbox.len();
            tokio::select! {
                biased;
                written = write.write_buf(&mut self.outbox), if can_write && !self.outbox.is_empty() => {
                    // The other end may have left: what it said before is still to be read.
                    can_write = written.is_ok();
                }
                read = read.read_buf(&mut self.inbox) => match read {
                    Ok(1..) => self.hear(before),
                    Ok(0) | Err(_) => return,
                },
                () = milestones.answered.wait_for(calls), if self.awaits_answers() => {}
                () = milestones.heard.wait_for(1), if self.awaits_client() => {}
            }
        }
    }

    /// Puts what is ready into the outbox, if that is empty: frames, and SETTINGS that the sender knows nothing of.
    fn fill(&mut self) {
        self.learn();
        if !self.outbox.is_empty() {
            return;
        }
        self.sender.take(&mut self.outgoing);
        self.outbox.extend_from_slice(&self.outgoing.copy_to_bytes(self.outgoing.remaining()));
        self.sender.drained().clear();
        self.learn();
        let setup = self.session.setup(self.side);
        if self.changes <= self.app.talks.len() {
            let settings = Settings {
                header_table_size: setup.tables.get(self.changes).copied(),
                // The receiver would not let the peer send more than it has been told of.
                initial_window_size: setup.windows.get(self.changes).map(|size| *size.min(&setup.stream_window)),
                ..Settings::default()
            };
            let mut frame = vec![];
            settings.write(&mut frame);
            self.outbox.extend_from_slice(&frame);
            self.changes += 1;
        }
    }

    fn learn(&mut self) {
        self.sender.news(&mut self.news);
        self.receiver.learn(&mut self.news, &mut self.app);
    }

    /// Bytes came.
    fn hear(&mut self, before: usize) {
        self.bytes.extend_from_slice(&self.inbox[before..]);
        self.learn();
        let received = self.receiver.receive(&mut self.inbox, 0, &mut self.app);
        let effects = self.receiver.effects();
        if let Some(go_away) = &effects.go_away {
            self.goodbye = Some(go_away.code.0);
        }
        let applied = self.sender.apply(effects);
        self.learn();
        if let Err(violation) = received.and(applied) {
            self.app.told.iter_mut().for_each(|told| told.failure = Some(violation.to_string()));
        }
    }

    /// Does all that is due.
    fn act(&mut self) {
        if self.side == Side::Client && self.sender.is_settled() {
            self.begin();
        }
        let ids: Vec<u32> = self.app.talks.keys().copied().collect();
        for id in ids {
            self.talk(id);
        }
        if self.side == Side::Server {
            self.leave();
        } else if !self.is_leaving && self.has_heard_all() {
            self.is_leaving = true;
            self.milestones.heard.count();
        }
    }

    /// The client's calls and PINGs, as far as the server lets it.
    fn begin(&mut self) {
        while self.pings < self.session.pings {
            self.pings += 1;
            self.sender.ping([self.pings as u8; 8]);
        }
        while self.sender.has_room()
            && let Some(call) = self.session.calls.get(self.app.talks.len())
            // A server that has seen all calls may leave.
            && (self.app.talks.len() + 1 < self.session.calls.len() || self.app.pongs == self.pings)
        {
            self.open(self.app.talks.len(), call);
        }
    }

    fn open(&mut self, number: usize, call: &Call) {
        let mut metadata = call.metadata.clone();
        let user_agent = metadata.remove("user-agent").expect("every call has one");
        let head = RequestHead {
            path: &call.path.parse::<PathAndQuery>().expect("it is a path"),
            https: false,
            authority: "host:50051",
            timeout: None,
            user_agent: &user_agent,
            metadata: &metadata,
        };
        let (mut first, end) = match call.steps.first() {
            Some(Step::Data { side: Side::Client, len, end }) if call.joined => {
                (Some(body(number, Side::Client, 0, *len)), *end)
            }
            _ => (None, call.ends),
        };
        let (next, said) = first.as_ref().map_or((0, 0), |first| (1, first.len()));
        let id = self.sender.open(&head, &mut first, end, |id| id).expect("the server takes calls");
        self.app.talks.insert(id, Talk { number, next, said, unread: 0 });
    }

    /// Goes on with one call.
    fn talk(&mut self, id: u32) {
        let talk = self.app.talks.get_mut(&id).expect("it has begun");
        let call = &self.session.calls[talk.number];
        self.sender.credit(id, std::mem::take(&mut talk.unread));
        while let Some(step) = call.steps.get(talk.next) {
            if step.side() == self.side {
                let taken = say(&mut self.sender, id, talk, self.side, call);
                if taken.is_err() {
                    self.app.told[talk.number].failure = Some(format!("{step:?} could not be said"));
                }
            } else if self.app.told[talk.number].has_heard(call, talk.next) {
                talk.next += 1;
            } else {
                return;
            }
            if self.side == Side::Server && talk.next == call.steps.len() {
                self.milestones.answered.count();
            }
        }
    }

    /// The server says goodbye, if it is to and the time has come.
    fn leave(&mut self) {
        match self.session.goodbye {
            Some(0) if !self.is_leaving && self.app.talks.len() == self.session.calls.len() => {
                self.is_leaving = true;
                self.sender.go_away(i32::MAX as u32, Code::NO_ERROR, "");
                self.sender.ping(GOODBYE);
            }
            Some(0) if !self.has_left && self.app.pongs > 0 => self.leave_for_good(Code::NO_ERROR),
            Some(code @ 1..) if !self.has_left && self.milestones.heard.is_reached(1) => {
                self.leave_for_good(Code(code));
            }
            _ => {}
        }
    }

    fn leave_for_good(&mut self, code: Code) {
        self.has_left = true;
        self.sender.go_away(self.receiver.last_stream(), code, "it was nice");
        self.receiver.refuse_new();
    }

    fn are_calls_over(&self) -> bool {
        let is_over = |talk: &Talk| talk.next == self.session.calls[talk.number].steps.len();
        self.app.talks.len() == self.session.calls.len() && self.app.talks.values().all(is_over)
    }

    fn awaits_answers(&self) -> bool {
        self.side == Side::Client && !self.is_leaving && self.are_calls_over() && !self.are_all_answered()
    }

    fn are_all_answered(&self) -> bool {
        self.milestones.answered.is_reached(self.session.calls.len())
    }

    fn has_heard_all(&self) -> bool {
        self.are_calls_over() && self.app.pongs == self.session.pings && self.are_all_answered()
    }

    fn awaits_client(&self) -> bool {
        self.side == Side::Server && !self.has_left && !self.milestones.heard.is_reached(1)
    }

    fn is_done(&self) -> bool {
        match self.side {
            Side::Client => self.is_leaving && self.goodbye == self.session.goodbye,
            Side::Server => self.has_left && self.are_calls_over() && self.sender.active() == 0,
        }
    }
}

/// Says what is next, all at once if it can be.
fn say(sender: &mut Sender<u32>, id: u32, talk: &mut Talk, side: Side, call: &Call) -> Result<(), Gone> {
    let text = |said, len| body(talk.number, side, said, len);
    if call.joined
        && let [
            Step::Head { status, headers, end: false },
            Step::Data { side: Side::Server, len, end: false },
            Step::Trailers(trailers),
            ..,
        ] = &call.steps[talk.next..]
    {
        let chunk = text(0, *len);
        talk.next += 3;
        return sender.answer(id, code(*status), headers, chunk, trailers, &id).map(drop);
    }
    let step = &call.steps[talk.next];
    talk.next += 1;
    match step {
        Step::Head { status, headers, end } => sender.respond(id, code(*status), headers, *end),
        Step::Data { len, end, .. } => {
            let chunk = text(talk.said, *len);
            talk.said += len;
            sender.data(id, chunk, *end, &id).map(drop)
        }
        Step::Trailers(trailers) => sender.trailers(id, trailers),
        Step::Reset(_, code) => sender.reset(id, Code(*code)).then_some(()).ok_or(Gone),
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("it is a status")
}
