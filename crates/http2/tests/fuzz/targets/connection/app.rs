//! What callers hear: every stream begins and ends once, and nothing comes after its end.

use std::collections::BTreeMap;

use thalweg_http2::{
    config::Role,
    exchange::Cut,
    fields::Fields,
    frame::settings::Settings,
    head::{RequestHead, ResponseHead},
    receive::{Payload, Sink},
};

/// One stream, as its caller knows it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// A head has come from the peer.
    pub(super) has_head: bool,
    /// The peer has ended its side.
    pub(super) peer_ended: bool,
    /// It was cut, or the peer was told that nobody listens.
    pub(super) is_over: bool,
    /// We have said something after the head of a request.
    pub(super) is_answered: bool,
    /// We have said all we had to say.
    pub(super) we_ended: bool,
    /// Bytes that came and were not read.
    pub(super) unread: u32,
    /// Data wait, of which the caller was not told yet that they wait no longer.
    pub(super) is_waiting: bool,
    /// It was opened with data, which may wait.
    pub(super) may_wait: bool,
}

#[derive(Debug)]
pub(super) struct App {
    pub(super) role: Role,
    pub(super) streams: BTreeMap<u32, Stream>,
    /// Bytes of bodies that came.
    pub(super) heard: u64,
    pub(super) pings: u64,
    pub(super) settings: Vec<Settings>,
}

impl App {
    pub(super) fn new(role: Role) -> Self {
        Self { role, streams: BTreeMap::new(), heard: 0, pings: 0, settings: vec![] }
    }

    fn open(&mut self, id: u32) -> &mut Stream {
        let stream = self.streams.get_mut(&id).unwrap_or_else(|| panic!("stream {id}: an event, but no stream"));
        assert!(!stream.is_over && !stream.peer_ended, "stream {id}: an event after its end");
        stream
    }

    fn end(&mut self, id: u32, end: bool) {
        let is_client = self.role == Role::Client;
        let stream = self.open(id);
        stream.peer_ended = end;
        stream.is_over = end && is_client;
    }
}

impl Sink for App {
    type Stream = u32;

    fn request(&mut self, id: u32, head: RequestHead, end: bool) -> u32 {
        let last = self.streams.last_key_value().map_or(0, |(last, _)| *last);
        assert!(self.role == Role::Server && id % 2 == 1 && id > last, "stream {id} after {last}");
        assert!(!head.path.as_str().is_empty());
        let fields = head.fields;
        assert!(fields.cut || fields.list.len() * 32 <= fields.size, "stream {id}: {} bytes of fields", fields.size);
        let _into_map_does_not_panic = fields.into_map();
        self.streams.insert(id, Stream { has_head: true, peer_ended: end, ..Stream::default() });
        id
    }

    fn response(&mut self, id: &u32, head: ResponseHead, end: bool) {
        assert!(self.role == Role::Client && !head.status.is_informational());
        let stream = self.open(*id);
        assert!(!std::mem::replace(&mut stream.has_head, true), "stream {id}: a second head");
        let _into_map_does_not_panic = head.fields.into_map();
        self.end(*id, end);
    }

    fn data(&mut self, id: &u32, payload: Payload<'_>, end: bool) {
        let len = payload.len();
        assert_eq!(payload.into_bytes().len(), len);
        assert!(len > 0 || end, "stream {id}: nothing");
        self.heard += len as u64;
        let stream = self.open(*id);
        assert!(stream.has_head, "stream {id}: no head");
        stream.unread += len as u32;
        self.end(*id, end);
    }

    fn trailers(&mut self, id: &u32, fields: Fields) {
        assert!(self.open(*id).has_head, "stream {id}: no head");
        let _into_map_does_not_panic = fields.into_map();
        self.end(*id, true);
    }

    fn cut(&mut self, id: &u32, cut: Cut) {
        let role = self.role;
        let stream = self.streams.get_mut(id).unwrap_or_else(|| panic!("stream {id}: {cut:?}, but no stream"));
        assert!(!stream.is_over && (role == Role::Server || !stream.peer_ended), "stream {id}: {cut:?} after its end");
        stream.is_over = true;
    }

    fn ping(&mut self) {
        self.pings += 1;
    }

    fn pong(&mut self, _: [u8; 8]) {}

    fn settings(&mut self, settings: &Settings) {
        self.settings.push(*settings);
    }
}
