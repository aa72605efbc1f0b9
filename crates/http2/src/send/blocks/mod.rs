//! Header blocks of calls. What every call says is encoded once and then copied (RFC 7541, gRPC over HTTP/2).
//!
//! A block is kept only while each of its indices means what it meant, and only if encoding it again would change nothing
//! in the dynamic table: then both sides' tables stay the same however often it is sent. What differs from call to call
//! (`grpc-timeout`, metadata) follows the kept part.

#[cfg(test)]
mod tests;

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, TE},
    uri::PathAndQuery,
};

use super::open::RequestHead;
use crate::{
    fields::{GRPC_STATUS, is_left_out},
    hpack::encoder::{Encoder, Indexing},
};

/// The `content-type` of a call that says nothing else.
pub(super) const GRPC: &str = "application/grpc";
const GRPC_TIMEOUT: &str = "grpc-timeout";
/// A field without indexing, with a name of 12 bytes as they are (RFC 7541 section 6.2.2).
const TIMEOUT_PREFIX: &[u8] = b"\x00\x0cgrpc-timeout";
/// Lengths of a string that one byte can tell, with no Huffman code (RFC 7541 section 5.2).
const SHORT: std::ops::Range<usize> = 0..127;
/// Kinds of requests of which blocks are kept.
const KEPT: usize = 32;
/// A field counts so much more than its name and its value (RFC 9113 section 6.5.2).
pub(super) const OVERHEAD: usize = 32;

/// The encoder of a connection, and the blocks that it can send again.
#[derive(Debug)]
pub(super) struct Blocks {
    encoder: Encoder,
    requests: Vec<Request>,
    /// The one that was asked for last.
    recent: usize,
    /// The one that is given up for a new one.
    oldest: usize,
    /// `:status: 200` and `content-type: application/grpc`.
    ok: Kept,
    /// `grpc-status: 0`.
    success: Kept,
    /// The block in the making.
    block: Vec<u8>,
}

/// A block that can be sent again while the encoder's generation is what it was.
#[derive(Debug, Default)]
struct Kept {
    generation: u64,
    block: Vec<u8>,
}

impl Kept {
    fn is_fit(&self, encoder: &Encoder) -> bool {
        !self.block.is_empty() && self.generation == encoder.generation()
    }

    /// Keeps a block that was begun in this generation, if it is fit to be sent again.
    fn keep(&mut self, block: &[u8], begun: u64, encoder: &Encoder) {
        if encoder.generation() == begun {
            self.generation = begun;
            self.block.clear();
            self.block.extend_from_slice(block);
        }
    }
}

/// What the calls of one method have in common.
#[derive(Debug)]
struct Request {
    path: PathAndQuery,
    authority: Box<str>,
    https: bool,
    user_agent: HeaderValue,
    content_type: Option<HeaderValue>,
    /// It was encoded so often; counted no further than is asked for.
    encoded: u8,
    kept: Kept,
}

impl Request {
    fn new(head: &RequestHead<'_>, content_type: Option<&HeaderValue>) -> Self {
        Self {
            path: head.path.clone(),
            authority: head.authority.into(),
            https: head.https,
            user_agent: head.user_agent.clone(),
            content_type: content_type.cloned(),
            encoded: 0,
            kept: Kept::default(),
        }
    }

    fn is_for(&self, head: &RequestHead<'_>, content_type: Option<&HeaderValue>) -> bool {
        let (path, other) = (self.path.as_str(), head.path.as_str());
        // Stubs hand over the same constant each time.
        (std::ptr::eq(path, other) || path == other)
            && self.https == head.https
            && *self.authority == *head.authority
            && self.user_agent == *head.user_agent
            && self.content_type.as_ref() == content_type
    }

    /// Encodes the fields that come first. Path and authority enter the table when they come for the second time; when
    /// they come for the third they are all that they can be.
    fn encode(&mut self, encoder: &mut Encoder, block: &mut Vec<u8>, begun: u64) {
        let scheme = if self.https { "https" } else { "http" };
        let content_type = self.content_type.as_ref().map_or(GRPC.as_bytes(), HeaderValue::as_bytes);
        encoder.field(block, b":method", b"POST", Indexing::Always);
        encoder.field(block, b":scheme", scheme.as_bytes(), Indexing::Always);
        encoder.field(block, b":path", self.path.as_str().as_bytes(), Indexing::Second);
        encoder.field(block, b":authority", self.authority.as_bytes(), Indexing::Second);
        encoder.field(block, b"te", b"trailers", Indexing::Always);
        encoder.field(block, b"content-type", content_type, Indexing::Always);
        encoder.field(block, b"user-agent", self.user_agent.as_bytes(), Indexing::Always);
        if self.encoded < 2 {
            self.encoded += 1;
        } else {
            self.kept.keep(block, begun, encoder);
        }
    }
}

/// What the metadata of a call say beyond what all calls say.
struct Extra<'a> {
    timeout: Option<&'a [u8]>,
    content_type: Option<&'a HeaderValue>,
    has_fields: bool,
}

impl<'a> Extra<'a> {
    fn of(head: &RequestHead<'a>) -> Self {
        let mut extra = Self { timeout: head.timeout, content_type: None, has_fields: false };
        for (name, value) in head.metadata {
            if name == TE {
                continue;
            }
            if name == CONTENT_TYPE {
                extra.content_type = Some(value).filter(|value| *value != GRPC);
            } else if name == GRPC_TIMEOUT {
                extra.timeout = extra.timeout.or(Some(value.as_bytes()));
            } else if !is_left_out(name) {
                extra.has_fields = true;
            }
        }
        extra
    }
}

impl RequestHead<'_> {
    /// The size of the list of its fields, in bytes as of RFC 9113 section 10.5.1.
    pub(super) fn size(&self) -> usize {
        let extra = Extra::of(self);
        let scheme = if self.https { "https" } else { "http" };
        let content_type = extra.content_type.map_or(GRPC.len(), HeaderValue::len);
        let fixed = [
            (":method", "POST".len()),
            (":scheme", scheme.len()),
            (":path", self.path.as_str().len()),
            (":authority", self.authority.len()),
            ("te", "trailers".len()),
            ("content-type", content_type),
            ("user-agent", self.user_agent.len()),
        ];
        let timeout = extra.timeout.map(|timeout| (GRPC_TIMEOUT, timeout.len()));
        let metadata = own_fields(self.metadata).map(|(name, value)| (name.as_str(), value.len()));
        fixed.into_iter().chain(timeout).chain(metadata).map(|(name, value)| name.len() + value + OVERHEAD).sum()
    }
}

impl Blocks {
    pub(super) fn new() -> Self {
        Self {
            encoder: Encoder::new(),
            requests: Vec::new(),
            recent: 0,
            oldest: 0,
            ok: Kept::default(),
            success: Kept::default(),
            block: Vec::new(),
        }
    }

    /// Obeys the peer's SETTINGS_HEADER_TABLE_SIZE, in bytes.
    pub(super) fn set_max_table_size(&mut self, max: usize) {
        self.encoder.set_max_size(max);
    }

    /// The block of a request. What is encoded must be sent before anything else is.
    pub(super) fn request(&mut self, head: &RequestHead<'_>) -> &[u8] {
        let extra = Extra::of(head);
        let at = self.find(head, extra.content_type);
        let request = &mut self.requests[at];
        let is_kept = request.kept.is_fit(&self.encoder);
        if is_kept && extra.timeout.is_none() && !extra.has_fields {
            return &self.requests[at].kept.block;
        }
        self.block.clear();
        if is_kept {
            self.block.extend_from_slice(&request.kept.block);
        } else {
            let begun = self.encoder.generation();
            self.encoder.begin(&mut self.block);
            request.encode(&mut self.encoder, &mut self.block, begun);
        }
        if let Some(timeout) = extra.timeout {
            put_timeout(timeout, &mut self.encoder, &mut self.block);
        }
        if extra.has_fields {
            for (name, value) in own_fields(head.metadata) {
                put(name, value, &mut self.encoder, &mut self.block);
            }
        }
        &self.block
    }

    /// Where requests like this one are kept.
    fn find(&mut self, head: &RequestHead<'_>, content_type: Option<&HeaderValue>) -> usize {
        if self.requests.get(self.recent).is_some_and(|recent| recent.is_for(head, content_type)) {
            return self.recent;
        }
        let known = self.requests.iter().position(|request| request.is_for(head, content_type));
        self.recent = known.unwrap_or_else(|| self.remember(Request::new(head, content_type)));
        self.recent
    }

    fn remember(&mut self, request: Request) -> usize {
        if self.requests.len() < KEPT {
            self.requests.push(request);
            return self.requests.len() - 1;
        }
        let at = self.oldest;
        self.oldest = (at + 1) % KEPT;
        self.requests[at] = request;
        at
    }

    /// The block that begins a response. What is encoded must be sent before anything else is.
    pub(super) fn response(&mut self, status: StatusCode, headers: &HeaderMap) -> &[u8] {
        let is_plain =
            status == StatusCode::OK && headers.iter().all(|(name, value)| name == CONTENT_TYPE && value == GRPC);
        if is_plain && self.ok.is_fit(&self.encoder) {
            return &self.ok.block;
        }
        let begun = self.begin();
        self.encoder.field(&mut self.block, b":status", status.as_str().as_bytes(), Indexing::Second);
        if status == StatusCode::OK && !headers.contains_key(CONTENT_TYPE) {
            self.encoder.field(&mut self.block, b"content-type", GRPC.as_bytes(), Indexing::Always);
        }
        self.put_all(headers);
        if is_plain {
            self.ok.keep(&self.block, begun, &self.encoder);
        }
        &self.block
    }

    /// The block that ends a response. What is encoded must be sent before anything else is.
    pub(super) fn trailers(&mut self, trailers: &HeaderMap) -> &[u8] {
        let is_plain =
            !trailers.is_empty() && trailers.iter().all(|(name, value)| *name == GRPC_STATUS && value == "0");
        if is_plain && self.success.is_fit(&self.encoder) {
            return &self.success.block;
        }
        let begun = self.begin();
        self.put_all(trailers);
        if is_plain {
            self.success.keep(&self.block, begun, &self.encoder);
        }
        &self.block
    }

    /// Begins a block, and tells in which generation.
    fn begin(&mut self) -> u64 {
        let begun = self.encoder.generation();
        self.block.clear();
        self.encoder.begin(&mut self.block);
        begun
    }

    fn put_all(&mut self, fields: &HeaderMap) {
        for (name, value) in fields.iter().filter(|(name, _)| !is_left_out(name)) {
            put(name, value, &mut self.encoder, &mut self.block);
        }
    }
}

/// Appends a field that only this call may have.
fn put(name: &HeaderName, value: &HeaderValue, encoder: &mut Encoder, block: &mut Vec<u8>) {
    let indexing = if value.is_sensitive() {
        Indexing::Never
    } else if is_for_all(name, value) {
        Indexing::Always
    } else {
        Indexing::Second
    };
    encoder.field(block, name.as_str().as_bytes(), value.as_bytes(), indexing);
}

/// Is it what nearly every call says?
fn is_for_all(name: &HeaderName, value: &HeaderValue) -> bool {
    (*name == GRPC_STATUS && value == "0") || (name == CONTENT_TYPE && value == GRPC)
}

fn put_timeout(timeout: &[u8], encoder: &mut Encoder, block: &mut Vec<u8>) {
    if SHORT.contains(&timeout.len()) {
        block.extend_from_slice(TIMEOUT_PREFIX);
        block.push(timeout.len() as u8);
        block.extend_from_slice(timeout);
    } else {
        encoder.field(block, GRPC_TIMEOUT.as_bytes(), timeout, Indexing::Not);
    }
}

/// The fields of a request's metadata that have no place of their own.
fn own_fields(metadata: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    metadata.iter().filter(|(name, _)| *name != CONTENT_TYPE && *name != GRPC_TIMEOUT && !is_left_out(name))
}
