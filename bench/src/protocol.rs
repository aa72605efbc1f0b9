//! What the client and the server without a stub agree on: the method, gRPC's framing and HTTP/2's windows.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Uri, Version, header, request};
use tokio::net::TcpStream;

use crate::error::Error;

/// The path of the unary method.
pub(crate) const UNARY: &str = "/thalweg.bench.v1.Echo/Unary";
/// The path of the method whose streams return every message.
pub(crate) const STREAM: &str = "/thalweg.bench.v1.Echo/Stream";
/// The path of the method that sends as many messages as it is asked for.
pub(crate) const DOWNLOAD: &str = "/thalweg.bench.v1.Echo/Download";
/// `content-type` of every message.
pub(crate) const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");
/// The trailer that says how a call went.
pub(crate) const GRPC_STATUS: http::HeaderName = http::HeaderName::from_static("grpc-status");
/// More calls than any benchmark has open, so that no server's default limit stands in the way.
pub(crate) const MAX_CONCURRENT_STREAMS: u32 = 1024;
/// How long a server may take to answer a connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// gRPC's prefix of a message: whether it is compressed, and its length.
pub(crate) const PREFIX: usize = 5;

/// The `body` field of `thalweg.bench.v1.Payload`: field 1, length-delimited.
const BODY_TAG: u8 = 0x0a;

/// A whole message as it crosses the wire: gRPC's prefix, then the encoded `Payload`.
pub(crate) fn frame(payload: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(payload.len() + 16);
    if !payload.is_empty() {
        message.put_u8(BODY_TAG);
        put_varint(&mut message, payload.len());
        message.put_slice(payload);
    }
    let mut frame = BytesMut::with_capacity(PREFIX + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("a benchmark's payload is far smaller than 4 GiB"));
    frame.put_slice(&message);
    frame.freeze()
}

fn put_varint(out: &mut BytesMut, mut value: usize) {
    while value >= 0x80 {
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

/// The head of a request with the headers that the stubs send too.
pub(crate) fn head(uri: Uri) -> request::Parts {
    let (mut head, ()) = Request::new(()).into_parts();
    head.method = Method::POST;
    head.version = Version::HTTP_2;
    head.uri = uri;
    head.headers.insert(header::TE, HeaderValue::from_static("trailers"));
    head.headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    head.headers.insert(header::USER_AGENT, HeaderValue::from_static("thalweg-bench"));
    head
}

/// Sets what every client and server here sets on a socket: no Nagle.
pub(crate) fn prepare(socket: &TcpStream) -> Result<(), Error> {
    socket.set_nodelay(true).map_err(Error::io("TCP_NODELAY"))
}
