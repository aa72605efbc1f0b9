//! One direction of a connection: bytes that arrive some time after they were sent.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::{io::ReadBuf, time::Instant};

/// How many bytes are under way before the sender waits.
const CAPACITY: usize = 64 << 10;

/// Bytes under way.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    chunks: VecDeque<(Instant, Bytes)>,
    size: usize,
    /// When the reader learns that nothing more comes.
    end: Option<Instant>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What a reader finds.
pub(super) enum Arrival {
    /// Bytes were copied, or the end has come and none were.
    Now,
    /// Something arrives at this time.
    At(Instant),
    /// Nothing is under way.
    Nothing,
}

impl Pipe {
    /// Takes as much of `bytes` as fits, to arrive after `latency`. Waits while nothing fits.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8], latency: Duration) -> Poll<usize> {
        let room = CAPACITY - self.size;
        if room == 0 && !bytes.is_empty() {
            return self.wait_to_send(cx);
        }
        let count = bytes.len().min(room);
        self.chunks.push_back((self.arrival(latency), Bytes::copy_from_slice(&bytes[..count])));
        self.size += count;
        wake(&mut self.reader);
        Poll::Ready(count)
    }

    /// Ends the bytes, after `latency` and whatever is under way.
    pub(super) fn finish(&mut self, latency: Duration) {
        let arrival = self.arrival(latency);
        self.end.get_or_insert(arrival);
        wake(&mut self.reader);
    }

    /// Reads what has arrived.
    pub(super) fn receive(&mut self, buf: &mut ReadBuf<'_>) -> Arrival {
        let now = Instant::now();
        match (self.chunks.front_mut(), self.end) {
            (Some((at, _)), _) if *at > now => Arrival::At(*at),
            (Some((_, chunk)), _) => {
                let count = chunk.len().min(buf.remaining());
                buf.put_slice(&chunk[..count]);
                chunk.advance(count);
                if chunk.is_empty() {
                    self.chunks.pop_front();
                }
                self.size -= count;
                wake(&mut self.writer);
                Arrival::Now
            }
            (None, Some(end)) if end > now => Arrival::At(end),
            (None, Some(_)) => Arrival::Now,
            (None, None) => Arrival::Nothing,
        }
    }

    /// Waits for something to change for the reader.
    pub(super) fn wait_to_receive<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Waits for something to change for the writer.
    pub(super) fn wait_to_send<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        self.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Has both ends look again.
    pub(super) fn wake_all(&mut self) {
        wake(&mut self.reader);
        wake(&mut self.writer);
    }

    /// When something sent now arrives: never before what was sent earlier.
    fn arrival(&self, latency: Duration) -> Instant {
        let at = Instant::now() + latency;
        self.chunks.back().map_or(at, |(last, _)| at.max(*last))
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
