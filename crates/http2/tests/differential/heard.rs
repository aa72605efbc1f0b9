//! What one end hears of a session: what has to be the same whoever plays it.

use http::{HeaderMap, StatusCode, request};
use thalweg_http2::{
    head::{RequestHead, ResponseHead},
    hpack::field::Scheme,
};

use super::session::{Call, Side, Step};

/// Fields, pseudo-header fields first, the others by their names.
pub(crate) type Fields = Vec<(String, String)>;

/// What was heard on all calls, and of the connection.
#[derive(PartialEq, Debug)]
pub(crate) struct Heard {
    pub(crate) calls: Vec<Told>,
    pub(crate) pongs: u32,
    /// The code of GOAWAY.
    pub(crate) goodbye: Option<u32>,
}

/// What was heard on one call.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Told {
    pub(crate) head: Option<Fields>,
    pub(crate) bytes: usize,
    /// The place of the first byte that is not what was said.
    pub(crate) wrong: Option<usize>,
    /// The other side has ended, with trailers perhaps.
    pub(crate) end: Option<Option<Fields>>,
    /// The other side has given up, with this code.
    pub(crate) reset: Option<u32>,
    /// What went wrong that has no place in a session.
    pub(crate) failure: Option<String>,
}

impl Told {
    /// Bytes that the other side sent on this call.
    pub(crate) fn hear(&mut self, call: usize, from: Side, bytes: &[u8]) {
        let said = (self.bytes..).map(|at| byte(call, from, at));
        if let Some(at) = bytes.iter().zip(said).position(|(heard, said)| *heard != said) {
            self.wrong.get_or_insert(self.bytes + at);
        }
        self.bytes += bytes.len();
    }

    /// Has everything up to this step of the other side been heard?
    pub(crate) fn has_heard(&self, call: &Call, at: usize) -> bool {
        if self.failure.is_some() {
            return true;
        }
        let step = &call.steps[at];
        let len = |earlier: &Step| match earlier {
            Step::Data { side, len, .. } if *side == step.side() => *len,
            _ => 0,
        };
        match step {
            Step::Head { end, .. } => self.head.is_some() && (!end || self.end.is_some()),
            Step::Data { end, .. } => {
                self.bytes >= call.steps[..=at].iter().map(len).sum() && (!end || self.end.is_some())
            }
            Step::Trailers(_) => self.end.is_some(),
            Step::Reset(..) => self.reset.is_some(),
        }
    }
}

/// The bytes of a body are known from their place, so that a lost, doubled or swapped byte is heard.
pub(crate) fn byte(call: usize, from: Side, at: usize) -> u8 {
    let way = if from == Side::Client { 0 } else { 101 };
    call.wrapping_mul(37).wrapping_add(at.wrapping_mul(7)).wrapping_add(at >> 8).wrapping_add(way) as u8
}

/// What a side says in a step, `before` bytes after the beginning of its body.
pub(crate) fn body(call: usize, from: Side, before: usize, len: usize) -> bytes::Bytes {
    (before..before + len).map(|at| byte(call, from, at)).collect()
}

pub(crate) fn fields(map: &HeaderMap) -> Fields {
    let mut fields: Fields =
        map.iter().map(|(name, value)| (name.to_string(), value.as_bytes().escape_ascii().to_string())).collect();
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    fields
}

fn with_pseudo(pseudo: &[(&str, &str)], map: &HeaderMap) -> Fields {
    let pseudo = pseudo.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    pseudo.chain(fields(map)).collect()
}

/// A request as `h2` tells of it.
pub(crate) fn of_request(parts: &request::Parts) -> Fields {
    let uri = &parts.uri;
    let pseudo = [
        (":method", parts.method.as_str()),
        (":scheme", uri.scheme_str().unwrap_or_default()),
        (":path", uri.path_and_query().map_or("", |path| path.as_str())),
        (":authority", uri.authority().map_or("", |authority| authority.as_str())),
    ];
    with_pseudo(&pseudo, &parts.headers)
}

/// A request as our receiver tells of it.
pub(crate) fn of_request_head(head: RequestHead) -> Fields {
    let scheme = match head.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
        Scheme::Other => "other",
    };
    let map = head.fields.into_map();
    let pseudo = [
        (":method", head.method.as_str()),
        (":scheme", scheme),
        (":path", head.path.as_str()),
        (":authority", head.authority.as_ref().map_or("", |authority| authority.as_str())),
    ];
    with_pseudo(&pseudo, &map)
}

/// A response as `h2` tells of it.
pub(crate) fn of_response(status: StatusCode, headers: &HeaderMap) -> Fields {
    with_pseudo(&[(":status", status.as_str())], headers)
}

/// A response as our receiver tells of it.
pub(crate) fn of_response_head(head: ResponseHead) -> Fields {
    of_response(head.status, &head.fields.into_map())
}
