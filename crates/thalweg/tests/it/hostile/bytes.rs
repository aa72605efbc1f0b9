//! Frames as bytes, for scripts that send many at once or send what no peer should.

use bytes::BytesMut;
use thalweg_testkit::wire::{
    frame::{ACK, END_HEADERS, END_STREAM, Frame, Kind},
    hpack,
};

use crate::server::fixture::SAY_HELLO;

/// The head of a request to greet.
const REQUEST: &[(&str, &str)] = &[
    (":method", "POST"),
    (":scheme", "http"),
    (":path", SAY_HELLO),
    (":authority", "test"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
];

/// The ids of a client's streams.
pub(super) fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|n| 2 * n + 1)
}

/// A frame of a kind that Frame has no constructor for, and as many bytes as it says.
pub(super) fn frame(kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    encoded(&Frame::new(kind, flags, stream, payload.to_vec()))
}

/// The head of a frame alone: it says that `length` bytes follow.
pub(super) fn head_alone(kind: Kind, length: u32, stream: u32) -> Vec<u8> {
    let mut bytes = frame(kind, 0, stream, &[]);
    bytes[..3].copy_from_slice(&length.to_be_bytes()[1..]);
    bytes
}

/// HEADERS with these fields, in one frame.
pub(super) fn headers(stream: u32, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(Kind::Headers, END_HEADERS | flags, stream, &hpack::encode(fields))
}

/// HEADERS with this block.
pub(super) fn block(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    frame(Kind::Headers, END_HEADERS | flags, stream, block)
}

/// A request to greet, which goes on.
pub(super) fn request(stream: u32) -> Vec<u8> {
    headers(stream, 0, REQUEST)
}

/// A request to greet whose head is all of it.
pub(super) fn whole_request(stream: u32) -> Vec<u8> {
    headers(stream, END_STREAM, REQUEST)
}

/// The block of a request to greet.
pub(super) fn request_block() -> Vec<u8> {
    hpack::encode(REQUEST).to_vec()
}

/// DATA.
pub(super) fn data(stream: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    frame(Kind::Data, flags, stream, payload)
}

/// RST_STREAM.
pub(super) fn reset(stream: u32, code: u32) -> Vec<u8> {
    encoded(&Frame::number(Kind::RstStream, stream, code))
}

/// SETTINGS.
pub(super) fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    encoded(&Frame::settings(values))
}

/// SETTINGS that acknowledge.
pub(super) fn settings_ack() -> Vec<u8> {
    frame(Kind::Settings, ACK, 0, &[])
}

/// PING.
pub(super) fn ping() -> Vec<u8> {
    frame(Kind::Ping, 0, 0, &[7; 8])
}

/// WINDOW_UPDATE.
pub(super) fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    encoded(&Frame::number(Kind::WindowUpdate, stream, increment))
}

/// GOAWAY.
pub(super) fn go_away(last_stream: u32, code: u32) -> Vec<u8> {
    encoded(&Frame::go_away(last_stream, code, b""))
}

fn encoded(frame: &Frame) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    frame.encode(&mut bytes);
    bytes.to_vec()
}
