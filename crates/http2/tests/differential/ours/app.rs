//! What our receiver tells, put down by calls.

use std::collections::BTreeMap;

use thalweg_http2::{
    exchange::Cut,
    fields::Fields,
    frame::settings::Settings,
    head::{RequestHead, ResponseHead},
    receive::{Payload, Sink},
};

use crate::{
    heard::{Told, fields, of_request_head, of_response_head},
    session::Side,
};

/// One call that has begun.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) number: usize,
    /// The step that is next.
    pub(super) next: usize,
    /// Bytes that were said.
    pub(super) said: usize,
    /// Bytes that were heard and not credited.
    pub(super) unread: u32,
}

#[derive(Debug)]
pub(super) struct App {
    /// The other side.
    pub(super) from: Side,
    pub(super) talks: BTreeMap<u32, Talk>,
    pub(super) told: Vec<Told>,
    pub(super) pongs: u32,
}

impl App {
    pub(super) fn told(&mut self, id: u32) -> &mut Told {
        &mut self.told[self.talks[&id].number]
    }

    fn end(&mut self, id: u32, end: bool) {
        if end {
            self.told(id).end = Some(None);
        }
    }
}

impl Sink for App {
    type Stream = u32;

    fn request(&mut self, id: u32, head: RequestHead, end: bool) -> u32 {
        let number = head.fields.get("x-call").and_then(|number| number.to_str().ok()?.parse().ok());
        let number = number.expect("every call has a number");
        self.talks.insert(id, Talk { number, next: 0, said: 0, unread: 0 });
        self.told(id).head = Some(of_request_head(head));
        self.end(id, end);
        id
    }

    fn response(&mut self, id: &u32, head: ResponseHead, end: bool) {
        self.told(*id).head = Some(of_response_head(head));
        self.end(*id, end);
    }

    fn data(&mut self, id: &u32, payload: Payload<'_>, end: bool) {
        let talk = self.talks.get_mut(id).expect("the call has begun");
        talk.unread += payload.len() as u32;
        self.told[talk.number].hear(talk.number, self.from, &payload.into_bytes());
        self.end(*id, end);
    }

    fn trailers(&mut self, id: &u32, trailers: Fields) {
        self.told(*id).end = Some(Some(fields(&trailers.into_map())));
    }

    fn cut(&mut self, id: &u32, cut: Cut) {
        match cut {
            Cut::Reset(code) => self.told(*id).reset = Some(code.0),
            other => self.told(*id).failure = Some(format!("{other:?}")),
        }
    }

    fn ping(&mut self) {}

    fn pong(&mut self, _: [u8; 8]) {
        self.pongs += 1;
    }

    fn settings(&mut self, _: &Settings) {}
}
