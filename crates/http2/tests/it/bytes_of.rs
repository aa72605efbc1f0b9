//! Frames and header blocks spelled out byte by byte, so that tests don't share the encoder's mistakes.

use thalweg_http2::frame::{PREFACE, flags, kind};

/// A frame with any payload.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = (payload.len() as u32).to_be_bytes();
    let head = [&[a, b, c, kind, flags][..], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// The head of a frame whose payload of `len` bytes does not come.
pub(crate) fn head_alone(kind: u8, len: u32, stream: u32) -> Vec<u8> {
    let [_, a, b, c] = len.to_be_bytes();
    [&[a, b, c, kind, 0][..], &stream.to_be_bytes()].concat()
}

/// A header block of literals without indexing.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let string = |text: &str| {
        assert!(text.len() < 127, "the length fits into one byte");
        [&[text.len() as u8], text.as_bytes()].concat()
    };
    fields.iter().flat_map(|(name, value)| [vec![0], string(name), string(value)].concat()).collect()
}

/// The fields of a request, with more after them.
pub(crate) fn request_with(more: &[(&str, &str)]) -> Vec<u8> {
    let usual = [(":method", "POST"), (":scheme", "http"), (":path", "/a/b"), (":authority", "host")];
    block(&[&usual, more].concat())
}

/// HEADERS with the whole block.
pub(crate) fn headers(stream: u32, end: bool, block: &[u8]) -> Vec<u8> {
    frame(kind::HEADERS, flags::END_HEADERS | u8::from(end), stream, block)
}

/// HEADERS that open a stream.
pub(crate) fn request(stream: u32, end: bool) -> Vec<u8> {
    headers(stream, end, &request_with(&[]))
}

/// HEADERS of a response.
pub(crate) fn response(stream: u32, end: bool) -> Vec<u8> {
    headers(stream, end, &block(&[(":status", "200"), ("content-type", "application/grpc")]))
}

/// HEADERS that end a stream.
pub(crate) fn trailers(stream: u32) -> Vec<u8> {
    headers(stream, true, &block(&[("grpc-status", "0")]))
}

/// DATA without padding.
pub(crate) fn data(stream: u32, end: bool, payload: &[u8]) -> Vec<u8> {
    frame(kind::DATA, u8::from(end), stream, payload)
}

/// RST_STREAM.
pub(crate) fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// SETTINGS.
pub(crate) fn settings(parameters: &[(u16, u32)]) -> Vec<u8> {
    let payload = parameters.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat());
    frame(kind::SETTINGS, 0, 0, &payload.collect::<Vec<_>>())
}

/// The acknowledgement of SETTINGS.
pub(crate) fn settings_ack() -> Vec<u8> {
    frame(kind::SETTINGS, flags::ACK, 0, &[])
}

/// PING.
pub(crate) fn ping() -> Vec<u8> {
    frame(kind::PING, 0, 0, &[7; 8])
}

/// GOAWAY.
pub(crate) fn go_away(last: u32, code: u32, debug: &str) -> Vec<u8> {
    frame(kind::GOAWAY, 0, 0, &[&last.to_be_bytes(), &code.to_be_bytes(), debug.as_bytes()].concat())
}

/// WINDOW_UPDATE.
pub(crate) fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

/// What a client begins with.
pub(crate) fn client_preface() -> Vec<u8> {
    [PREFACE, &settings(&[])].concat()
}
