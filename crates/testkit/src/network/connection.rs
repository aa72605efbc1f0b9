//! A connection of the network: two pipes, and what is wrong with them.

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use super::pipe::{Arrival, Pipe};

/// A handle on one connection, by which a test does it harm. Cheap to clone; keeps nothing open.
#[derive(Clone)]
pub struct Connection(Arc<Mutex<Wires>>);

/// What the two ends share.
struct Wires {
    /// What the client sends, and what the server sends.
    pipes: [Pipe; 2],
    fault: Fault,
    latency: Duration,
    /// Has the client's end, the server's end, been dropped?
    dropped: [bool; 2],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    Stalled,
    /// The server's end is gone and nobody told the client.
    HalfOpen,
    Cut,
}

/// Whose end it is: an index of [`Wires::pipes`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Client = 0,
    Server = 1,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl Connection {
    /// A connection whose bytes take `latency` each way; the client's end, the server's end.
    pub(super) fn open(latency: Duration) -> (Self, End, End) {
        let wires = Wires { pipes: Default::default(), fault: Fault::None, latency, dropped: [false; 2] };
        let connection = Self(Arc::new(Mutex::new(wires)));
        let end = |side| End { connection: connection.clone(), side, alarm: None };
        let (client, server) = (end(Side::Client), end(Side::Server));
        (connection, client, server)
    }

    /// Resets it: both ends read and write "connection reset", and what was under way is lost.
    pub fn cut(&self) {
        self.wires().set(Fault::Cut);
    }

    /// Stops the bytes in both directions; nobody is told. [`heal`](Self::heal) lets them go on.
    pub fn stall(&self) {
        self.wires().harm(Fault::Stalled);
    }

    /// Takes the server's end away without a word to the client, as when a machine loses its power. The client learns
    /// of it when it asks after [`heal`](Self::heal): the connection is then reset.
    pub fn half_open(&self) {
        self.wires().harm(Fault::HalfOpen);
    }

    /// Lets the bytes go on. What was cut stays cut.
    pub fn heal(&self) {
        let mut wires = self.wires();
        match wires.fault {
            Fault::None | Fault::Cut => {}
            Fault::Stalled => wires.set(Fault::None),
            Fault::HalfOpen => wires.set(Fault::Cut),
        }
    }

    /// From now on bytes take this long each way.
    pub fn set_latency(&self, latency: Duration) {
        self.wires().latency = latency;
    }

    /// Is it uncut, and held by both ends, as far as the client can tell?
    #[must_use]
    pub fn is_open(&self) -> bool {
        let Wires { fault, dropped: [client, server], .. } = *self.wires();
        match fault {
            Fault::Cut => false,
            Fault::HalfOpen => !client,
            Fault::None | Fault::Stalled => !client && !server,
        }
    }

    fn wires(&self) -> MutexGuard<'_, Wires> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("is_open", &self.is_open()).finish_non_exhaustive()
    }
}

impl Wires {
    fn set(&mut self, fault: Fault) {
        self.fault = fault;
        for pipe in &mut self.pipes {
            pipe.wake_all();
        }
    }

    /// Sets a fault that a cut connection no longer feels.
    fn harm(&mut self, fault: Fault) {
        if self.fault != Fault::Cut {
            self.set(fault);
        }
    }

    /// What this side is told: an error, nothing (`Pending`), or the truth.
    fn felt(&self, side: Side) -> Poll<io::Result<()>> {
        match (self.fault, side) {
            (Fault::Cut, _) | (Fault::HalfOpen, Side::Server) => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by peer")))
            }
            (Fault::Stalled, _) | (Fault::HalfOpen, Side::Client) => Poll::Pending,
            (Fault::None, _) => Poll::Ready(Ok(())),
        }
    }
}

/// One end of a connection. Dropping it ends what it sends, and fails what the other end sends.
pub(super) struct End {
    connection: Connection,
    side: Side,
    /// Rings when the next bytes arrive.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { connection, side, alarm } = self.get_mut();
        loop {
            let at = {
                let mut wires = connection.wires();
                let felt = wires.felt(*side);
                let pipe = &mut wires.pipes[side.other() as usize];
                match felt {
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return pipe.wait_to_receive(cx),
                    Poll::Ready(Ok(())) => {}
                }
                match pipe.receive(buf) {
                    Arrival::Now => return Poll::Ready(Ok(())),
                    Arrival::Nothing => return pipe.wait_to_receive(cx),
                    Arrival::At(at) => {
                        let _: Poll<()> = pipe.wait_to_receive(cx);
                        at
                    }
                }
            };
            let alarm = alarm.insert(Box::pin(tokio::time::sleep_until(at)));
            ready!(alarm.as_mut().poll(cx));
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut wires = self.connection.wires();
        if let Poll::Ready(Err(error)) = wires.felt(self.side) {
            return Poll::Ready(Err(error));
        }
        // While the client is not told that the server is gone, its bytes pile up until they no longer fit.
        if wires.dropped[self.side.other() as usize] && wires.fault == Fault::None {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, "broken pipe")));
        }
        let latency = wires.latency;
        wires.pipes[self.side as usize].poll_send(cx, bytes, latency).map(Ok)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut wires = self.connection.wires();
        let latency = wires.latency;
        wires.pipes[self.side as usize].finish(latency);
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut wires = self.connection.wires();
        let latency = wires.latency;
        wires.dropped[self.side as usize] = true;
        wires.pipes[self.side as usize].finish(latency);
        wires.pipes[self.side.other() as usize].wake_all();
    }
}
