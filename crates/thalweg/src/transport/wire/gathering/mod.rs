//! Waiting for the calls that a read has woken, so that what they have to say shares a system call.
//!
//! On a runtime with several threads the writing task runs beside them, again and again, each time for a few of them. The
//! reading task knows how many there are: it goes to the end of the queue, and then has everything written at once.

#[cfg(test)]
mod tests;

use std::task::{Context, Poll};

/// Calls that one waits for. Fewer save nothing.
const FEW: usize = 4;
/// When those that were waited for had nothing to write, so many others are not waited for.
const IN_VAIN: u8 = 16;

/// Whether the reading task waits for the calls that it has woken.
#[derive(Debug)]
pub(super) struct Gathering {
    /// Calls on the connection from which on waiting pays.
    many: usize,
    turn: Turn,
    in_vain: u8,
}

#[derive(Clone, Copy, Debug)]
enum Turn {
    /// The reading task's.
    Ours,
    /// The reading task's, until it returns.
    Promised,
    /// That of the calls.
    Theirs,
}

impl Gathering {
    /// Waits when there are at least so many calls.
    pub(super) fn new(many: usize) -> Self {
        Self { many, turn: Turn::Ours, in_vain: 0 }
    }

    /// Of `calls` at work, these are about to be `woken`. Are they to be waited for?
    pub(super) fn begin(&mut self, woken: usize, calls: usize) -> bool {
        if woken < FEW || calls < self.many {
            return false;
        }
        // They may be of those that only listen.
        self.in_vain = self.in_vain.saturating_sub(1);
        let begins = self.in_vain == 0;
        if begins {
            self.turn = Turn::Promised;
        }
        begins
    }

    /// Ready when it is the reading task's turn: with true if calls have had theirs before. Otherwise the task is woken at
    /// once, and goes to the end of the queue.
    pub(super) fn poll_turn(&mut self, cx: &Context<'_>) -> Poll<bool> {
        match self.turn {
            Turn::Ours => Poll::Ready(false),
            Turn::Promised => {
                self.turn = Turn::Theirs;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Turn::Theirs => {
                self.turn = Turn::Ours;
                Poll::Ready(true)
            }
        }
    }

    /// Whether those who were waited for had anything to write.
    pub(super) fn note(&mut self, wrote: bool) {
        self.in_vain = if wrote { 0 } else { IN_VAIN + 1 };
    }
}
