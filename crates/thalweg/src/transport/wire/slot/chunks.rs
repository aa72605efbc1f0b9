//! The unread body of a stream: small pieces grow together, so that they cost no more memory than their bytes.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use thalweg_http2::receive::{Payload, SHARE};

/// Pieces of a body in their order.
#[derive(Debug, Default)]
pub(in super::super) struct Chunks {
    whole: VecDeque<Bytes>,
    /// Small pieces that came after the whole ones.
    small: BytesMut,
}

impl Chunks {
    /// Adds what has come.
    pub(super) fn push(&mut self, payload: Payload<'_>) {
        // Larger ones share the memory that they were read into.
        if payload.len() < SHARE {
            return self.small.extend_from_slice(payload.as_slice());
        }
        if !self.small.is_empty() {
            self.whole.push_back(std::mem::take(&mut self.small).freeze());
        }
        self.whole.push_back(payload.into_bytes());
    }

    /// The next piece.
    pub(in super::super) fn pop(&mut self) -> Option<Bytes> {
        self.whole.pop_front().or_else(|| (!self.small.is_empty()).then(|| std::mem::take(&mut self.small).freeze()))
    }

    /// The only piece, if there is just one.
    pub(super) fn pop_only(&mut self) -> Option<Bytes> {
        let is_only = self.whole.len() + usize::from(!self.small.is_empty()) == 1;
        if is_only { self.pop() } else { None }
    }

    /// The next piece is to be this.
    pub(super) fn put_back(&mut self, piece: Bytes) {
        self.whole.push_front(piece);
    }

    /// Is nothing left?
    pub(in super::super) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.small.is_empty()
    }
}
