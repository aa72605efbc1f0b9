//! The streams as the receiver sees them (RFC 9113 section 5.1): what the peer may still send on each, and what is
//! remembered of those that are over.

use std::collections::VecDeque;

use crate::{
    config::Role,
    flow::{INITIAL, LARGEST, ReceiveWindow},
    head::Body,
    messages::Messages,
    table::Table,
};

/// How many streams that were reset are remembered: what the peer sent before it heard of it is no offence.
const REMEMBERED: usize = 1024;

/// What the peer sends next on a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// The head of its response.
    Head,
    /// Data or trailers.
    Body,
    /// Nothing any more.
    Ended,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Entry<S> {
    pub(super) stream: S,
    pub(super) phase: Phase,
    pub(super) window: ReceiveWindow,
    /// Bytes of the body that are to come, if the peer has said so.
    pub(super) content_left: Option<u64>,
    /// The messages in its body, if it consists of gRPC messages.
    pub(super) messages: Option<Messages>,
    /// The batch in which it was opened.
    pub(super) batch: u64,
}

impl<S> Entry<S> {
    /// A stream of which nothing has come.
    pub(super) fn new(stream: S, batch: u64) -> Self {
        let window = ReceiveWindow::new(0);
        Self { stream, phase: Phase::Head, window, content_left: None, messages: None, batch }
    }

    /// The head of the peer's message has come.
    pub(super) fn begin(&mut self, body: Body) {
        self.phase = Phase::Body;
        self.content_left = body.content_length;
        self.messages = body.is_grpc.then(Messages::new);
    }
}

/// Why a stream is not in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Absent {
    /// Nobody has opened it.
    Idle,
    /// It is over, and the peer may not have known: its frames are ignored.
    Forgiven,
    /// It is over, and the peer ended it.
    Closed,
    /// The peer has passed its id over and cannot use it any more.
    Skipped,
}

/// All streams of a connection.
#[derive(Debug)]
pub(super) struct Streams<S> {
    role: Role,
    table: Table<Entry<S>>,
    resets: Resets,
    /// The window of a new stream.
    initial: u32,
    /// The highest stream that we opened.
    last_ours: u32,
    /// The highest stream that the peer opened.
    last_peers: u32,
    /// The peer's ids between its last two streams that were not consecutive, both ends not included.
    gap: (u32, u32),
    /// Later streams of the peer's are ignored.
    refuses: bool,
}

impl<S> Streams<S> {
    /// Until our SETTINGS are acknowledged, the peer reckons with [`INITIAL`] bytes.
    pub(super) fn new(role: Role, window: u32) -> Self {
        Self {
            role,
            table: Table::new(),
            resets: Resets::default(),
            initial: window.clamp(INITIAL, LARGEST),
            last_ours: 0,
            last_peers: 0,
            gap: (0, 0),
            refuses: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn get(&self, id: u32) -> Option<&Entry<S>> {
        self.table.get(id)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Entry<S>> {
        self.table.get_mut(id)
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Entry<S>> {
        self.table.remove(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &S)> {
        self.table.iter().map(|(id, entry)| (id, &entry.stream))
    }

    /// Takes out the streams above `last`.
    pub(super) fn above(&mut self, last: u32) -> Vec<(u32, Entry<S>)> {
        self.table.extract(|id, _| id > last)
    }

    /// Enters a stream, with the window of a new one.
    pub(super) fn open(&mut self, id: u32, mut entry: Entry<S>) {
        if self.is_ours(id) {
            self.last_ours = self.last_ours.max(id);
        }
        entry.window = ReceiveWindow::new(self.initial);
        self.table.insert(id, entry);
    }

    /// Takes note that the peer has opened a stream, which is above all before it.
    pub(super) fn note_peers(&mut self, id: u32) {
        if id > self.last_peers + 2 {
            self.gap = (self.last_peers, id);
        }
        self.last_peers = id;
    }

    /// The highest stream that the peer opened.
    pub(super) fn last_peers(&self) -> u32 {
        self.last_peers
    }

    /// From now on streams that the peer opens are ignored.
    pub(super) fn refuse(&mut self) {
        self.refuses = true;
    }

    pub(super) fn refuses(&self) -> bool {
        self.refuses
    }

    /// Remembers that a stream was reset.
    pub(super) fn remember(&mut self, id: u32) {
        self.resets.insert(id);
    }

    /// Why a stream that is not in the table is not.
    pub(super) fn absent(&self, id: u32) -> Absent {
        let is_ours = self.is_ours(id);
        let last = if is_ours { self.last_ours } else { self.last_peers };
        if id > last {
            return if self.refuses && !is_ours { Absent::Forgiven } else { Absent::Idle };
        }
        if self.resets.may_contain(id) {
            return Absent::Forgiven;
        }
        let (below, above) = self.gap;
        if id > below && id < above { Absent::Skipped } else { Absent::Closed }
    }

    /// Is this an id for streams that we open?
    pub(super) fn is_ours(&self, id: u32) -> bool {
        (id % 2 == 1) == (self.role == Role::Client)
    }

    /// Our SETTINGS are acknowledged: a smaller window than [`INITIAL`] holds from now on.
    pub(super) fn settle(&mut self, window: u32) {
        if window < INITIAL && self.initial == INITIAL {
            self.set_window(window);
        }
    }

    /// Sets the window of all streams to come, and changes that of those that are by the difference.
    pub(super) fn set_window(&mut self, window: u32) {
        let difference = i64::from(window) - i64::from(self.initial);
        self.initial = window;
        self.table.iter_mut().for_each(|(_, entry)| entry.window.credit(difference));
    }
}

/// The last streams that were reset.
#[derive(Debug, Default)]
struct Resets {
    known: Table<()>,
    order: VecDeque<u32>,
    /// The highest stream that was reset so long ago that it is not known any more.
    forgotten: u32,
}

impl Resets {
    fn insert(&mut self, id: u32) {
        if self.known.insert(id, ()).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(oldest);
            self.forgotten = self.forgotten.max(oldest);
        }
    }

    /// Streams below one that was forgotten have the benefit of the doubt.
    fn may_contain(&self, id: u32) -> bool {
        id <= self.forgotten || self.known.contains(id)
    }
}
