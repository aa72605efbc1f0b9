//! What all streams share on their way out: the write buffer, the connection's window, and the turns (RFC 9113 section 5.2).

use bytes::Bytes;

use super::{
    Progress,
    outgoing::Segments,
    queue::{Queue, Stream, Tail},
    schedule::Schedule,
};
use crate::{
    config::Config,
    error::{Rule, Violation},
    flow::{self, SendWindow},
    frame,
};

/// The largest frame while others wait for their turns, in bytes.
const TURN: usize = 16 << 10;

/// The way out, for data of all streams.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) buffer: Segments,
    /// The connection's.
    pub(super) window: SendWindow,
    pub(super) schedule: Schedule,
    /// The peer's SETTINGS_MAX_FRAME_SIZE.
    pub(super) max_frame_size: usize,
    /// DATA frames so far.
    pub(super) data_frames: u64,
    /// More waits for the peer's windows than we keep.
    pub(super) fault: Option<Violation>,
    max_buffer: usize,
    /// What heads and trailers may add to that.
    max_heads: usize,
    /// Bytes in the queues of all streams.
    queued: usize,
    max_stalled: usize,
}

impl Output {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            buffer: Segments::default(),
            window: SendWindow::new(flow::INITIAL),
            schedule: Schedule::default(),
            max_frame_size: frame::settings::DEFAULT_MAX_FRAME_SIZE as usize,
            data_frames: 0,
            fault: None,
            max_buffer: config.max_write_buffer,
            max_heads: config.limits.unsent_heads,
            queued: 0,
            max_stalled: config.max_stalled,
        }
    }

    /// Does the buffer hold more than it should, since heads have come that no window and no room holds up?
    pub(super) fn is_overfull(&self) -> bool {
        self.buffer.len() > self.max_buffer + self.max_heads
    }

    /// A head or trailers were appended to the answer of a stream: if the peer does not read, that must not become much.
    pub(super) fn check_heads(&mut self) {
        if self.is_overfull() {
            let text = format!("{} bytes of answers wait, and the peer does not read", self.buffer.len());
            self.fault.get_or_insert_with(|| Violation::excess(Rule::UnsentHeads, text));
        }
    }

    /// Sends data of a stream: at once if nothing is before them and there is room for all of them, else in turns.
    /// `waiter` is told when none of them wait any more.
    pub(super) fn send<S>(
        &mut self,
        id: u32,
        stream: &mut Stream<S>,
        chunk: Bytes,
        end: bool,
        waiter: impl FnOnce() -> S,
    ) -> Progress {
        stream.we_ended |= end;
        if stream.queue.is_none() && self.has_room_for(chunk.len(), stream.window) {
            self.append(id, &mut stream.window, chunk, end);
            return Progress::Sent;
        }
        self.queued += chunk.len();
        let queue = stream.queue.get_or_insert_with(|| Box::new(Queue::new(waiter())));
        queue.push(chunk);
        if end {
            queue.tail = Tail::End;
        }
        let is_stalled = queue.bytes > stream.window.available() || self.queued > self.window.available();
        self.schedule.admit(id, stream);
        if is_stalled {
            self.check_stalled();
        }
        Progress::Waiting
    }

    /// Nothing at all always has room: it needs no window, and ends a stream.
    fn has_room_for(&self, len: usize, stream: SendWindow) -> bool {
        len == 0
            || (len <= stream.available()
                && len <= self.window.available()
                && self.buffer.len() + len <= self.max_buffer)
    }

    /// Appends data for which there is room.
    fn append(&mut self, id: u32, window: &mut SendWindow, mut chunk: Bytes, end: bool) {
        window.take(chunk.len());
        self.window.take(chunk.len());
        while chunk.len() > self.max_frame_size {
            self.data_frames += 1;
            self.buffer.data(id, chunk.split_to(self.max_frame_size), false);
        }
        if end || !chunk.is_empty() {
            self.data_frames += 1;
            self.buffer.data(id, chunk, end);
        }
    }

    /// Can the next stream have its turn? It can have the first of a buffer even if frames without data have filled it.
    pub(super) fn has_room_for_turn(&self, is_first: bool) -> bool {
        (is_first || self.buffer.len() < self.max_buffer) && self.window.available() > 0
    }

    /// Sends one frame of a stream whose turn it is. The queue, if that was all of it.
    pub(super) fn send_turn<S>(&mut self, id: u32, stream: &mut Stream<S>) -> Option<Box<Queue<S>>> {
        let queue = stream.queue.as_mut()?;
        queue.is_scheduled = false;
        // Nobody else waits: the frame may be as large as the peer allows.
        let turn = if self.schedule.is_empty() { self.max_buffer.max(TURN) } else { TURN };
        let room = turn.min(self.max_frame_size).min(stream.window.available()).min(self.window.available());
        if room == 0 {
            // SETTINGS have taken the window back. The stream returns when it opens again.
            return None;
        }
        let part = queue.pop(room);
        self.queued -= part.len();
        let (is_last, end) = (queue.chunks.is_empty(), matches!(queue.tail, Tail::End));
        self.append(id, &mut stream.window, part, is_last && end);
        if is_last {
            return stream.queue.take();
        }
        self.schedule.admit(id, stream);
        None
    }

    /// A queue is dropped, since its stream is over.
    pub(super) fn forget<S>(&mut self, queue: &Queue<S>) {
        self.queued -= queue.bytes;
    }

    /// All streams are over.
    pub(super) fn forget_all(&mut self) {
        self.schedule = Schedule::default();
        self.queued = 0;
        self.fault = None;
    }

    /// Is somebody to have a turn who could use it?
    pub(super) fn has_turns(&self) -> bool {
        !self.schedule.is_empty() && self.window.available() > 0
    }

    /// Data were queued that have no window.
    fn check_stalled(&mut self) {
        if self.queued > self.max_stalled {
            let text = format!("{} bytes wait, and the peer keeps its windows shut", self.queued);
            self.fault = Some(Violation::excess(Rule::Stalled, text));
        }
    }
}
