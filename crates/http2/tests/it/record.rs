//! A sink that writes down what it hears.

use thalweg_http2::{
    exchange::Cut,
    fields::Fields,
    frame::settings::Settings,
    head::{RequestHead, ResponseHead},
    receive::{Payload, Sink},
};

/// What was heard of one stream or of the connection.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Event {
    Request(u32, RequestHead, bool),
    Response(u32, ResponseHead, bool),
    Data(u32, Vec<u8>, bool),
    Trailers(u32, Fields),
    Cut(u32, Cut),
    Ping,
    Pong([u8; 8]),
    Settings(Settings),
}

/// All events in their order. A stream's handle is its id.
#[derive(Default, Debug)]
pub(crate) struct Record {
    pub(crate) events: Vec<Event>,
}

impl Record {
    /// Why streams were cut.
    pub(crate) fn cuts(&self) -> Vec<(u32, Cut)> {
        let cut = |event: &Event| if let Event::Cut(id, cut) = event { Some((*id, cut.clone())) } else { None };
        self.events.iter().filter_map(cut).collect()
    }
}

impl Sink for Record {
    type Stream = u32;

    fn request(&mut self, id: u32, head: RequestHead, end: bool) -> u32 {
        self.events.push(Event::Request(id, head, end));
        id
    }

    fn response(&mut self, stream: &u32, head: ResponseHead, end: bool) {
        self.events.push(Event::Response(*stream, head, end));
    }

    fn data(&mut self, stream: &u32, payload: Payload<'_>, end: bool) {
        self.events.push(Event::Data(*stream, payload.into_bytes().to_vec(), end));
    }

    fn trailers(&mut self, stream: &u32, fields: Fields) {
        self.events.push(Event::Trailers(*stream, fields));
    }

    fn cut(&mut self, stream: &u32, cut: Cut) {
        self.events.push(Event::Cut(*stream, cut));
    }

    fn ping(&mut self) {
        self.events.push(Event::Ping);
    }

    fn pong(&mut self, payload: [u8; 8]) {
        self.events.push(Event::Pong(payload));
    }

    fn settings(&mut self, settings: &Settings) {
        self.events.push(Event::Settings(*settings));
    }
}
