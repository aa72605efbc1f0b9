//! The unread body of a stream: small pieces grow together, so that they cost hardly more memory than their bytes; large ones
//! keep the memory that they were read into, as long as there are few of them.

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
    /// Adds what has come; `shares`: it may keep the memory that it was read into. How many pieces more there are that may
    /// keep more than their own bytes.
    pub(super) fn push(&mut self, payload: Payload<'_>, shares: bool) -> usize {
        if payload.len() < SHARE || !shares {
            if self.small.is_empty() {
                // Mostly there is but one: it takes what it needs, and is shared without another allocation.
                self.small = BytesMut::from(payload.as_slice());
            } else {
                self.small.extend_from_slice(payload.as_slice());
            }
            return 0;
        }
        let before = self.whole.len();
        if !self.small.is_empty() {
            self.whole.push_back(std::mem::take(&mut self.small).freeze());
        }
        self.whole.push_back(payload.into_bytes());
        self.whole.len() - before
    }

    /// The next piece, and how many fewer such pieces there are then.
    pub(in super::super) fn pop(&mut self) -> Option<(Bytes, usize)> {
        if let Some(piece) = self.whole.pop_front() {
            return Some((piece, 1));
        }
        (!self.small.is_empty()).then(|| (std::mem::take(&mut self.small).freeze(), 0))
    }

    /// The only piece, if there is just one.
    pub(super) fn pop_only(&mut self) -> Option<(Bytes, usize)> {
        let is_only = self.whole.len() + usize::from(!self.small.is_empty()) == 1;
        if is_only { self.pop() } else { None }
    }

    /// The next piece is to be this. How many such pieces more there are.
    pub(super) fn put_back(&mut self, piece: Bytes) -> usize {
        self.whole.push_front(piece);
        1
    }

    /// How many such pieces there are.
    pub(super) fn pieces(&self) -> usize {
        self.whole.len()
    }

    /// Is nothing left?
    pub(in super::super) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.small.is_empty()
    }
}
