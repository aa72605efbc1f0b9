//! Length-prefixed messages over one bare socket: what no protocol on such tasks can go below.
//!
//! Callers append to one buffer under a short lock and wake the writer, which lets everybody else have a turn before it
//! writes, so that one write carries many calls. The reader wakes the callers, each through a slot of its own. A message
//! is its length, its caller's number (both 4 bytes, big-endian) and its payload; the server returns the same.

use std::{
    future::poll_fn,
    mem,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Poll, Waker},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
};

use super::Connection;
use crate::{error::Error, load::Caller, protocol};

/// Length and number of a message.
const HEAD: usize = 8;
/// How much is read at once.
const READ: usize = 256 << 10;

/// Whom the callers, the reader and the writer share.
#[derive(Clone, Debug)]
pub(super) struct BareEcho(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    outgoing: Mutex<Outgoing>,
    /// By their numbers.
    slots: Mutex<Vec<Arc<Slot>>>,
    wants_write: Notify,
    writes: AtomicU64,
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Outgoing {
    bytes: Vec<u8>,
    /// The reader is gone: nobody will be answered.
    closed: bool,
}

/// Where a caller waits; it has one call at a time.
#[derive(Debug, Default)]
struct Slot(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    state: State,
    /// The payload of the last reply; one buffer for all calls.
    reply: Vec<u8>,
    waker: Option<Waker>,
}

/// Where a caller's call stands.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Open,
    Answered,
    Closed,
}

/// A caller with a number.
#[derive(Debug)]
pub(super) struct BareCaller {
    shared: Arc<Shared>,
    number: u32,
    slot: Arc<Slot>,
}

/// Connects to a server.
pub(super) async fn connect(server: SocketAddr) -> Result<BareEcho, Error> {
    let socket = TcpStream::connect(server).await.map_err(Error::io(format!("connect to {server}")))?;
    protocol::prepare(&socket)?;
    let (receive, send) = socket.into_split();
    let shared = Arc::new(Shared::default());
    tokio::spawn(write(send, Arc::clone(&shared)));
    tokio::spawn(read(receive, Arc::clone(&shared)));
    Ok(BareEcho(shared))
}

impl Connection for BareEcho {
    type Caller = BareCaller;

    fn caller(&self) -> BareCaller {
        let slot = Arc::new(Slot::default());
        let mut slots = lock(&self.0.slots);
        let number = u32::try_from(slots.len()).expect("a benchmark has far fewer callers than 2^32");
        slots.push(Arc::clone(&slot));
        BareCaller { shared: Arc::clone(&self.0), number, slot }
    }
}

impl Caller for BareCaller {
    async fn call(&mut self, payload: &Bytes) -> Result<(), Error> {
        self.send(payload)?;
        let received = poll_fn(|cx| {
            let mut waiting = lock(&self.slot.0);
            match waiting.state {
                State::Open => {
                    waiting.waker = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                State::Answered => waiting.state = State::Open,
                State::Closed => return Poll::Ready(Err(Error::StreamEnded)),
            }
            Poll::Ready(Ok(waiting.reply.len()))
        });
        Error::unless_echo(received.await?, payload.len())
    }

    fn writes(&self) -> Option<u64> {
        Some(self.shared.writes.load(Ordering::Relaxed))
    }
}

impl BareCaller {
    fn send(&self, payload: &Bytes) -> Result<(), Error> {
        let mut outgoing = lock(&self.shared.outgoing);
        if outgoing.closed {
            return Err(Error::StreamEnded);
        }
        let idle = outgoing.bytes.is_empty();
        outgoing.bytes.put_u32(u32::try_from(payload.len()).expect("a benchmark's payload is far smaller than 4 GiB"));
        outgoing.bytes.put_u32(self.number);
        outgoing.bytes.put_slice(payload);
        drop(outgoing);
        if idle {
            self.shared.wants_write.notify_one();
        }
        Ok(())
    }
}

/// Writes what the callers append, two buffers in turn.
async fn write(mut socket: OwnedWriteHalf, shared: Arc<Shared>) {
    let mut bytes = Vec::new();
    loop {
        shared.wants_write.notified().await;
        let_others_go_first().await;
        mem::swap(&mut bytes, &mut lock(&shared.outgoing).bytes);
        shared.writes.fetch_add(1, Ordering::Relaxed);
        if socket.write_all(&bytes).await.is_err() {
            // The reader meets the same end and tells the callers.
            return;
        }
        bytes.clear();
    }
}

/// Ready at the second look, for which it goes to the end of the queue.
fn let_others_go_first() -> impl Future<Output = ()> {
    let mut waited = false;
    poll_fn(move |cx| {
        if mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Hands replies to their callers until the connection ends.
async fn read(mut socket: OwnedReadHalf, shared: Arc<Shared>) {
    let mut inbox = BytesMut::new();
    loop {
        inbox.reserve(READ);
        if !matches!(socket.read_buf(&mut inbox).await, Ok(1..)) {
            break;
        }
        let slots = lock(&shared.slots);
        while let Some((number, reply)) = split_message(&mut inbox) {
            if let Some(slot) = slots.get(number as usize) {
                slot.tell(State::Answered, &reply);
            }
        }
    }
    lock(&shared.outgoing).closed = true;
    for slot in lock(&shared.slots).iter() {
        slot.tell(State::Closed, &[]);
    }
}

/// A whole message off the inbox's front: whose, and its payload.
fn split_message(inbox: &mut BytesMut) -> Option<(u32, BytesMut)> {
    let mut head = inbox.get(..HEAD)?;
    let (len, number) = (head.get_u32() as usize, head.get_u32());
    if inbox.len() < HEAD + len {
        return None;
    }
    inbox.advance(HEAD);
    Some((number, inbox.split_to(len)))
}

impl Slot {
    fn tell(&self, state: State, reply: &[u8]) {
        let mut waiting = lock(&self.0);
        waiting.state = state;
        waiting.reply.clear();
        waiting.reply.extend_from_slice(reply);
        let waker = waiting.waker.take();
        drop(waiting);
        waker.into_iter().for_each(Waker::wake);
    }
}

/// A panic between lock and unlock is impossible, and what is locked would be whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
