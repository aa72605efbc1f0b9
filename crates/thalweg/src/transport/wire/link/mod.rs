//! What everybody with a hand on a connection shares: the sender behind its lock, and who is to be woken.

mod ending;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use self::ending::Ending;
use super::{
    flush::Attention,
    inquiry::Inquiries,
    slot::Slot,
    sync::{Mutex, lock},
    unread::{Held, Unread},
};
use crate::{
    io::PeerInfo,
    rt,
    transport::{
        counters::{ConnectionStats, StreamStats},
        crowd::Crowd,
        options::Http2Options,
    },
};
use thalweg_http2::{
    counters::Counters,
    error::Code,
    send::{Refused, RequestHead, Sender},
};
use tokio::sync::oneshot;

/// What a keepalive PING carries.
pub(super) const KEEPALIVE: [u8; 8] = *b"keepaliv";
/// A deadline that is never reached.
const NEVER: u64 = u64::MAX;

/// The shared part of one connection.
pub(super) struct Link {
    sender: Mutex<Sender<Arc<Slot>>>,
    /// There is something to write.
    pub(super) writing: Attention,
    /// The reading task has something to look at.
    pub(super) reading: Attention,
    /// Calls that the reading task has woken have their turn: it raises `writing` when they have had it.
    gathering: AtomicBool,
    /// They have had it: the writing task need not wait for others.
    gathered: AtomicBool,
    /// Calls on the connection, as of the last time anybody held the lock.
    calls: AtomicUsize,
    /// How many calls there may be in all, or about so many.
    max_calls: u32,
    /// There have been so many.
    used_up: AtomicBool,
    /// Calls that ended with the last batch that was read. Those who made them are about to make others.
    lately: AtomicUsize,
    /// The reading task wants to know when the last call has ended.
    watched: AtomicBool,
    /// It wants to know when a call begins.
    dormant: AtomicBool,
    pub(super) unread: Unread,
    pub(super) inquiries: Inquiries,
    /// How many streams the peer allows, as of its last SETTINGS.
    limit: AtomicU32,
    /// The calls that wait for a stream here or on another connection like this; none on a server.
    crowd: Option<Arc<Crowd>>,
    /// The earliest deadline of a call, in nanoseconds after `start`; it may be one of a call that has ended.
    deadline: AtomicU64,
    start: Instant,
    /// What is known of its end.
    ending: Ending,
    pub(super) peer: PeerInfo,
    /// What a stream has to consume before the peer hears of it.
    pub(super) credit_step: usize,
    /// Bytes that a list of headers may have.
    pub(super) max_header_list_size: usize,
}

impl Link {
    pub(super) fn new(sender: Sender<Arc<Slot>>, peer: PeerInfo, limits: Limits, crowd: Option<Arc<Crowd>>) -> Self {
        Self {
            sender: Mutex::new(sender),
            writing: Attention::new(),
            reading: Attention::new(),
            gathering: AtomicBool::new(false),
            gathered: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            max_calls: limits.max_calls,
            used_up: AtomicBool::new(false),
            lately: AtomicUsize::new(0),
            watched: AtomicBool::new(false),
            dormant: AtomicBool::new(false),
            unread: Unread::new(limits.reserve),
            inquiries: Inquiries::new(),
            limit: AtomicU32::new(u32::MAX),
            crowd,
            deadline: AtomicU64::new(NEVER),
            start: rt::now(),
            ending: Ending::default(),
            peer,
            credit_step: limits.credit_step,
            max_header_list_size: limits.max_header_list_size,
        }
    }

    /// Does something with the sender, and then everything that follows from it, without the lock.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Sender<Arc<Slot>>) -> R) -> R {
        let mut sender = lock(&self.sender);
        let result = act(&mut sender);
        let drained = std::mem::take(sender.drained());
        let (active, has_room, writes) = (sender.active(), sender.has_room(), sender.wants_write());
        let was_active = self.calls.load(Relaxed) > 0;
        self.calls.store(active, Relaxed);
        drop(sender);
        if writes {
            self.note_write();
        }
        if has_room {
            self.call_up();
        }
        if was_active && active == 0 && self.watched.load(Relaxed) {
            self.reading.raise();
        }
        for slot in drained {
            slot.on_drained();
        }
        result
    }

    /// There is something to write, that was appended under the lock.
    fn note_write(&self) {
        if !self.gathering.load(Relaxed) {
            self.writing.raise();
        }
    }

    /// From here on what is appended waits for [`gathered`](Self::gathered).
    pub(super) fn gather(&self) {
        self.gathering.store(true, Relaxed);
    }

    /// Has that written which was appended since [`gather`](Self::gather). Was there anything?
    pub(super) fn gathered(&self) -> bool {
        self.gathering.store(false, Relaxed);
        // Whoever appends after this look, under the same lock, sees the flag.
        let gathered = self.look(Sender::wants_write);
        if gathered {
            self.gathered.store(true, Relaxed);
            self.writing.raise();
        }
        gathered
    }

    /// For the writing task: has it been [waited](Self::gathered) for what there is to write?
    pub(super) fn take_gathered(&self) -> bool {
        self.gathered.load(Relaxed) && self.gathered.swap(false, Relaxed)
    }

    /// Has the sender tell its news.
    pub(super) fn tell(&self, tell: impl FnOnce(&mut Sender<Arc<Slot>>)) {
        tell(&mut lock(&self.sender));
    }

    /// Looks at the sender.
    pub(super) fn look<R>(&self, look: impl FnOnce(&Sender<Arc<Slot>>) -> R) -> R {
        look(&lock(&self.sender))
    }

    /// Calls that wait for a stream, if there are any, look for room.
    fn call_up(&self) {
        if let Some(crowd) = self.crowd.as_ref().filter(|crowd| !crowd.is_empty()) {
            crowd.call_up();
        }
    }

    /// The peer's SETTINGS have come, and with them perhaps another limit of streams.
    pub(super) fn note_settings(&self) {
        self.limit.store(self.look(Sender::max_concurrent), Relaxed);
        self.call_up();
    }

    /// Does a call that comes now have to wait for its turn? As far as can be seen without the lock.
    pub(super) fn is_crowded(&self) -> bool {
        self.crowd.as_ref().is_some_and(|crowd| !crowd.is_empty()) || self.calls() >= self.limit.load(Relaxed) as usize
    }

    /// How many more streams can be opened.
    pub(super) fn room(&self) -> usize {
        self.look(Sender::room)
    }

    /// Opens a stream, with its first data if there are any. The stream's id, and whether what follows those data has to wait
    /// for them.
    pub(super) fn open(
        &self,
        head: &RequestHead<'_>,
        first: &mut Option<bytes::Bytes>,
        end: bool,
        slot: &Arc<Slot>,
    ) -> Result<(u32, bool), Refused> {
        let mut sender = lock(&self.sender);
        let opened = sender.open(head, first, end, |_| slot.clone()).map(|id| (id, !end && sender.is_waiting(id)));
        self.calls.store(sender.active(), Relaxed);
        drop(sender);
        if let Ok((id, _)) = opened {
            self.note_write();
            if id / 2 + 1 >= self.max_calls && !self.used_up.swap(true, Relaxed) {
                self.reading.raise();
            }
            if self.dormant.load(Relaxed) && self.dormant.swap(false, Relaxed) {
                self.reading.raise();
            }
            if slot.deadline.is_some_and(|deadline| self.remember_deadline(deadline)) {
                self.reading.raise();
            }
        }
        opened
    }

    /// The earliest deadline of a call.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let nanos = self.deadline.load(Relaxed);
        (nanos != NEVER).then(|| self.start + Duration::from_nanos(nanos))
    }

    /// All calls are about to be looked at: from here on only new deadlines count, and those that are found.
    pub(super) fn forget_deadlines(&self) {
        self.deadline.store(NEVER, Relaxed);
    }

    /// A call ends at `deadline` at the latest. Is that earlier than all others?
    pub(super) fn remember_deadline(&self, deadline: Instant) -> bool {
        let nanos = u64::try_from(deadline.saturating_duration_since(self.start).as_nanos()).unwrap_or(NEVER - 1);
        nanos < self.deadline.load(Relaxed) && nanos < self.deadline.fetch_min(nanos, Relaxed)
    }

    /// Asks the peer whether it is alive.
    pub(super) fn ping(&self) {
        self.with(|sender| sender.keepalive(KEEPALIVE));
    }

    /// So many calls ended with a batch.
    pub(super) fn note_ended(&self, calls: usize) {
        self.lately.store(calls, Relaxed);
    }

    /// How many calls are at work here: those in flight, and those that have just ended.
    pub(super) fn traffic(&self) -> usize {
        self.calls() + self.lately.load(Relaxed)
    }

    /// Calls in flight.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Relaxed)
    }

    /// Gives a stream up. False if it was over already.
    pub(super) fn reset(&self, stream: u32, code: Code) -> bool {
        self.with(|sender| sender.reset(stream, code))
    }

    /// From here on the reading task looks again when the last call has ended.
    pub(super) fn watch(&self) {
        self.watched.store(true, SeqCst);
    }

    /// The reading task looks again when a call begins. False if there is one.
    pub(super) fn await_call(&self) -> bool {
        self.dormant.store(true, Relaxed);
        // Whoever opens a call after this look sees the flag.
        self.look(Sender::active) == 0
    }

    /// Should calls go elsewhere, because there have been as many as there may be?
    pub(super) fn is_used_up(&self) -> bool {
        self.used_up.load(Relaxed)
    }

    /// What counted against the connection has been read.
    pub(super) fn release(&self, held: Held) {
        if self.unread.release(held) {
            self.with(|sender| {
                sender.withhold(false);
                sender.release();
            });
        }
    }

    /// Asks for the open streams of the connection, which has this number.
    pub(super) fn ask_for_streams(&self, number: u64) -> oneshot::Receiver<Vec<StreamStats>> {
        let answer = self.inquiries.put(number);
        self.reading.raise();
        answer
    }

    /// What the connection has done so far.
    pub(super) fn counters(&self) -> Counters {
        self.look(Sender::counters)
    }

    /// What the connection has done so far, and where it stands.
    pub(super) fn stats(&self) -> ConnectionStats {
        let (counters, windows, limit) =
            self.look(|sender| (sender.counters(), sender.windows(), sender.max_concurrent()));
        ConnectionStats {
            counters,
            calls: self.calls(),
            max_concurrent_streams: limit,
            send_window: windows.send,
            receive_window: windows.receive,
            unread: self.unread.bytes(),
        }
    }
}

/// The limits of a connection that the layers above the protocol keep.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) reserve: usize,
    pub(super) credit_step: usize,
    pub(super) max_header_list_size: usize,
    pub(super) max_calls: u32,
}

impl Limits {
    /// As the options say.
    pub(super) fn of(options: &Http2Options) -> Self {
        Self {
            reserve: options.max_unread,
            credit_step: options.stream_window as usize / 2,
            max_header_list_size: options.max_header_list_size as usize,
            max_calls: options.max_calls,
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("peer", &self.peer).field("calls", &self.calls()).finish_non_exhaustive()
    }
}
