//! Who is next to send: streams with data take turns, so that none starves and none waits for long.

use std::collections::VecDeque;

use super::queue::{Queue, Stream};
use crate::table::Table;

/// The streams that have data and a window for them, in the order of their turns.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    turns: VecDeque<u32>,
    /// Turns of streams that are over.
    stale: usize,
}

impl Schedule {
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Gives a stream a turn, unless it has one or must wait for its window.
    pub(super) fn admit<S>(&mut self, id: u32, stream: &mut Stream<S>) {
        if let Some(queue) = &mut stream.queue
            && !queue.is_scheduled
            && stream.window.available() > 0
        {
            queue.is_scheduled = true;
            self.turns.push_back(id);
        }
    }

    /// The next stream in turn. It may be over.
    pub(super) fn next(&mut self) -> Option<u32> {
        self.turns.pop_front()
    }

    /// A stream that was next was over.
    pub(super) fn skipped(&mut self) {
        self.stale = self.stale.saturating_sub(1);
    }

    /// The stream of this queue has left the table. Its turn goes before such turns are more than the others.
    pub(super) fn forget<S>(&mut self, queue: &Queue<S>, streams: &Table<Stream<S>>) {
        self.stale += usize::from(queue.is_scheduled);
        if self.stale * 2 > self.turns.len() {
            self.turns.retain(|id| streams.contains(*id));
            self.stale = 0;
        }
    }
}
