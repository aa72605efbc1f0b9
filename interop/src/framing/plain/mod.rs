//! A body that inflates those messages that are to travel uncompressed.

use std::{
    io::{self, Read},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{BufMut, Bytes, BytesMut};
use flate2::read::GzDecoder;
use http_body::{Body, Frame};
use tonic::Status;

use super::{
    prefix::{PREFIX, Prefix},
    wire::Plan,
};

#[cfg(test)]
mod tests;

/// A body of gzip messages, each of which leaves as its [`Plan`] wants it.
#[derive(Debug)]
pub(super) struct Planned {
    body: tonic::body::Body,
    unread: BytesMut,
    plan: Plan,
}

impl Planned {
    pub(super) fn body(body: tonic::body::Body, plan: Plan) -> tonic::body::Body {
        tonic::body::Body::new(Self { body, unread: BytesMut::new(), plan })
    }

    /// Takes the complete messages out of what was read, as they are to travel.
    fn complete(&mut self) -> io::Result<Bytes> {
        let mut out = BytesMut::new();
        while let Some(head) = self.unread.first_chunk::<PREFIX>() {
            let prefix = Prefix::read(*head);
            if self.unread.len() < PREFIX + prefix.length {
                break;
            }
            let message = self.unread.split_to(PREFIX + prefix.length);
            let keep = self.plan.take().unwrap_or(true);
            if keep || !prefix.compressed {
                out.extend_from_slice(&message);
            } else {
                inflate(&message[PREFIX..], &mut out)?;
            }
        }
        Ok(out.freeze())
    }
}

/// Appends a gzip message to `out`, inflated and with the prefix of a plain one.
fn inflate(gzip: &[u8], out: &mut BytesMut) -> io::Result<()> {
    let mut message = Vec::new();
    GzDecoder::new(gzip).read_to_end(&mut message)?;
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    out.put_u8(0);
    out.put_u32(length);
    out.extend_from_slice(&message);
    Ok(())
}

impl Body for Planned {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        loop {
            let data = match ready!(Pin::new(&mut this.body).poll_frame(cx)).map(|next| next.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                None => return Poll::Ready(None),
            };
            this.unread.extend_from_slice(&data);
            match this.complete() {
                Ok(messages) if messages.is_empty() => {}
                Ok(messages) => return Poll::Ready(Some(Ok(Frame::data(messages)))),
                Err(error) => {
                    let status = Status::internal(format!("message below the codec is not gzip: {error}"));
                    return Poll::Ready(Some(Err(status)));
                }
            }
        }
    }

    /// An answer without a message must still be seen to end at once: it is what makes a trailers-only response.
    fn is_end_stream(&self) -> bool {
        self.unread.is_empty() && self.body.is_end_stream()
    }
}
