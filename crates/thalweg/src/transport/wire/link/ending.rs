//! How a connection comes to its end: nobody needs it any more, the byte stream fails, or the peer goes too far. Everybody
//! says what they find; the reading task does the rest.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use thalweg_http2::{error::Violation, send::Sender};

use super::{super::error::Blame, Link};
use crate::{error::WireError, rt::Alarm};

/// What is known of the end of a connection.
#[derive(Default)]
pub(super) struct Ending {
    /// Nobody can open calls any more: the connection ends with its last one.
    unwanted: AtomicBool,
    /// The writing task has written all that it took.
    rests: AtomicBool,
    /// The writing task has ended.
    written: AtomicBool,
    /// The byte stream could not be written to.
    failed: OnceLock<WireError>,
    /// The peer makes us keep too much.
    fault: OnceLock<Violation>,
    /// Why the connection has ended.
    ended: OnceLock<WireError>,
    /// Who ended it, unless we did.
    blamed: OnceLock<Blame>,
}

impl Link {
    /// Nobody will open calls any more.
    pub(in super::super) fn abandon(&self) {
        self.watched.store(true, SeqCst);
        self.ending.unwanted.store(true, SeqCst);
        self.reading.raise();
    }

    /// Will nobody open calls any more, is none in flight, and is everything written?
    pub(in super::super) fn is_done(&self) -> bool {
        self.ending.unwanted.load(SeqCst)
            && self.look(|sender| sender.active() == 0 && !sender.wants_write() && self.ending.rests.load(SeqCst))
    }

    /// Will nobody open calls any more, and is none in flight? What is unwritten has no more than [`LAST_WORDS`] then.
    ///
    /// [`LAST_WORDS`]: super::super::writer::LAST_WORDS
    pub(in super::super) fn is_left(&self) -> bool {
        self.ending.unwanted.load(SeqCst) && self.look(Sender::active) == 0
    }

    /// The writing task has taken what there was to write (false), or has written it (true).
    pub(in super::super) fn note_rest(&self, rests: bool) {
        self.ending.rests.store(rests, SeqCst);
        if rests && self.ending.unwanted.load(SeqCst) {
            self.reading.raise();
        }
    }

    /// The byte stream could not be written to. Whatever can still be read is.
    pub(in super::super) fn fail(&self, error: WireError) {
        // A second failure is the first one's.
        let _ = self.ending.failed.set(error);
        self.reading.raise();
    }

    /// What the peer makes us keep has become too much: the reading task ends the connection.
    pub(in super::super) fn accuse(&self, violation: Violation) {
        // A second one is the first one's.
        let _ = self.ending.fault.set(violation);
        self.reading.raise();
    }

    /// What the peer is accused of, if it is.
    pub(in super::super) fn fault(&self) -> Option<&Violation> {
        self.ending.fault.get()
    }

    /// Why the byte stream could not be written to, if it could not.
    pub(in super::super) fn failed(&self) -> Option<&WireError> {
        self.ending.failed.get()
    }

    /// The writing task has ended.
    pub(in super::super) fn end_writing(&self) {
        self.ending.written.store(true, SeqCst);
        self.reading.raise();
    }

    /// For the reading task, when the connection is over: ready when the last words are written, or `alarm` rings.
    pub(in super::super) fn poll_written(&self, alarm: &mut Alarm, cx: &mut Context<'_>) -> Poll<()> {
        self.reading.attend(cx);
        if self.ending.written.load(SeqCst) { Poll::Ready(()) } else { alarm.poll_ring(cx) }
    }

    /// The connection ends, for the first reason that is given.
    pub(in super::super) fn end(&self, error: WireError) -> &WireError {
        self.ending.ended.get_or_init(|| error)
    }

    /// Why the connection has ended, if it has.
    pub(in super::super) fn ended(&self) -> Option<&WireError> {
        self.ending.ended.get()
    }

    /// The connection ends for what somebody else did. What is said first counts.
    pub(in super::super) fn blame(&self, blame: Blame) {
        let _ = self.ending.blamed.set(blame);
    }

    /// Who ended the connection, unless we did.
    pub(in super::super) fn blamed(&self) -> Option<Blame> {
        self.ending.blamed.get().copied()
    }
}
