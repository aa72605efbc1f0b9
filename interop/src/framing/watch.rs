//! A body that notes what passes through it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tonic::Status;

use super::{prefix::Prefixes, wire::Flow};

/// A body whose compressed flags and trailers are noted in a [`Flow`].
#[derive(Debug)]
pub(super) struct Watched {
    body: tonic::body::Body,
    prefixes: Prefixes,
    flow: Flow,
}

impl Watched {
    pub(super) fn body(body: tonic::body::Body, flow: Flow) -> tonic::body::Body {
        tonic::body::Body::new(Self { body, prefixes: Prefixes::default(), flow })
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            if let Some(data) = frame.data_ref() {
                this.prefixes.scan(data, |prefix| this.flow.note_flag(prefix.compressed));
            } else if let Some(trailers) = frame.trailers_ref() {
                this.flow.note_trailers(trailers);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
