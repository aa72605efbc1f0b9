//! How streams end before their time, and how the connection does (RFC 9113 sections 6.4 and 6.8).

use super::{Life, Sender, queue::Stream};
use crate::{
    config::Role,
    error::Code,
    frame::{go_away::GoAway, reset},
};

impl<S: Clone> Sender<S> {
    /// Ends a stream at once, and drops what it had to send. False if it was over already.
    pub fn reset(&mut self, id: u32, code: Code) -> bool {
        let Some(stream) = self.streams.remove(id) else { return false };
        self.discard(stream);
        self.counters.streams_failed += 1;
        self.append_reset(id, code);
        self.news.closed.push(id);
        true
    }

    /// Tells the peer that its streams above `last_stream` are not processed, and why.
    pub fn go_away(&mut self, last_stream: u32, code: Code, text: &str) {
        self.output.buffer.frame(|out| GoAway { last_stream, code, debug: text.as_bytes() }.write(out));
        self.last_words = Some((last_stream, code, text.to_owned()));
    }

    /// Ends everything: the byte stream is lost, or is to be closed when the buffer is written. A client leaves no more in
    /// the buffer than a GOAWAY, so that no call [from the first unsent one on](Self::first_unsent) gets out after all; and
    /// nothing if the peer has heard nothing of it, not even the preface.
    pub fn close(&mut self) {
        if self.life == Life::Closed {
            return;
        }
        self.life = Life::Closed;
        for (_, stream) in self.streams.drain() {
            self.counters.streams_failed += 1;
            self.drained.extend(stream.queue.map(|queue| queue.waiter));
        }
        self.output.forget_all();
        if self.role == Role::Client {
            self.output.buffer.clear();
            if let Some((last_stream, code, text)) = self.last_words.take().filter(|_| self.counters.bytes_sent > 0) {
                self.go_away(last_stream, code, &text);
            }
        }
    }

    /// Drops what a stream that has left the table had to send, and lets go whoever waits for it.
    pub(super) fn discard(&mut self, stream: Stream<S>) {
        if let Some(queue) = stream.queue {
            self.output.forget(&queue);
            self.output.schedule.forget(&queue, &self.streams);
            self.drained.push(queue.waiter);
        }
    }

    pub(super) fn append_reset(&mut self, id: u32, code: Code) {
        self.counters.resets_sent += 1;
        self.output.buffer.frame(|out| reset::write(id, code, out));
    }
}
