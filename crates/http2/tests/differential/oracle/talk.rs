//! One call, from either end.

use std::future::poll_fn;

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};

use crate::{
    heard::{Told, body, fields},
    session::{Call, Side, Step},
};

/// What is said and heard after the heads.
pub(super) struct Talk<'a> {
    pub(super) number: usize,
    pub(super) call: &'a Call,
    pub(super) side: Side,
    /// Bytes that were said.
    pub(super) said: usize,
    pub(super) told: Told,
}

impl Talk<'_> {
    /// Sends data.
    pub(super) fn send(&mut self, stream: &mut SendStream<Bytes>, len: usize, end: bool) {
        let bytes = body(self.number, self.side, self.said, len);
        self.said += len;
        if let Err(error) = stream.send_data(bytes, end) {
            self.fail(&error);
        }
    }

    /// Hears the next thing in a body.
    pub(super) async fn hear(&mut self, stream: &mut RecvStream) {
        let from = if self.side == Side::Client { Side::Server } else { Side::Client };
        match stream.data().await {
            Some(Ok(bytes)) => {
                self.told.hear(self.number, from, &bytes);
                if let Err(error) = stream.flow_control().release_capacity(bytes.len()) {
                    self.fail(&error);
                }
            }
            Some(Err(error)) => self.fail(&error),
            None => match stream.trailers().await {
                Ok(trailers) => self.told.end = Some(trailers.as_ref().map(fields)),
                Err(error) => self.fail(&error),
            },
        }
    }

    /// Waits for a reset of a stream whose other side has ended.
    pub(super) async fn hear_reset(&mut self, stream: &mut SendStream<Bytes>) {
        let outcome = poll_fn(|cx| stream.poll_reset(cx)).await;
        self.reset(outcome);
    }

    pub(super) fn reset(&mut self, outcome: Result<Reason, h2::Error>) {
        match outcome {
            Ok(reason) => self.told.reset = Some(reason.into()),
            Err(error) => self.fail(&error),
        }
    }

    pub(super) fn fail(&mut self, error: &h2::Error) {
        match error.reason() {
            Some(reason) if error.is_reset() && error.is_remote() => self.told.reset = Some(reason.into()),
            _ => self.told.failure = Some(error.to_string()),
        }
    }

    /// Has everything up to this step been heard, or is it ours to make?
    pub(super) fn is_due(&self, at: usize) -> bool {
        self.call.steps[at].side() == self.side || self.told.has_heard(self.call, at)
    }

    /// Does a step tell that the other side gives up after it has ended?
    pub(super) fn awaits_reset(&self, at: usize) -> bool {
        matches!(self.call.steps[at], Step::Reset(..)) && self.told.end.is_some()
    }
}
