//! What the client and the server without a stub agree on: the method, gRPC's framing and HTTP/2's windows.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::net::TcpStream;

use crate::error::Error;

/// The path of the unary method.
pub(crate) const UNARY: &str = "/thalweg.bench.v1.Echo/Unary";
/// `content-type` of every message.
pub(crate) const CONTENT_TYPE: http::HeaderValue = http::HeaderValue::from_static("application/grpc");
/// The trailer that says how a call went.
pub(crate) const GRPC_STATUS: http::HeaderName = http::HeaderName::from_static("grpc-status");
/// More calls than any benchmark has open, so that no server's default limit stands in the way.
pub(crate) const MAX_CONCURRENT_STREAMS: u32 = 1024;
/// How long a server may take to answer a connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The `body` field of `thalweg.bench.v1.Payload`: field 1, length-delimited.
const BODY_TAG: u8 = 0x0a;

/// A whole message as it crosses the wire: gRPC's prefix of five bytes, then the encoded `Payload`.
pub(crate) fn frame(payload: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(payload.len() + 16);
    if !payload.is_empty() {
        message.put_u8(BODY_TAG);
        put_varint(&mut message, payload.len());
        message.put_slice(payload);
    }
    let mut frame = BytesMut::with_capacity(message.len() + 5);
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

/// Sets what every client and server here sets on a socket: no Nagle.
pub(crate) fn prepare(socket: &TcpStream) -> Result<(), Error> {
    socket.set_nodelay(true).map_err(Error::io("TCP_NODELAY"))
}
