//! A host of the network: who listens there, and how it is reached.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use thalweg::{error::ConnectError, io::PeerInfo, transport::Connected};
use thalweg_core::endpoint::Address;
use tokio::sync::{Notify, mpsc};

use super::connection::Connection;

/// A host, by which a test does harm to it and its connections. Cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Place>);

struct Place {
    address: Address,
    state: Mutex<State>,
    /// Told when connecting may go otherwise than before.
    changed: Notify,
}

#[derive(Default)]
struct State {
    listener: Option<mpsc::UnboundedSender<Connected>>,
    reach: Reach,
    stalled: bool,
    latency: Duration,
    connections: Vec<Connection>,
    attempts: usize,
}

/// What connecting comes to.
#[derive(Clone, Copy, Default)]
enum Reach {
    #[default]
    Open,
    Refused,
    BlackHole,
}

impl Host {
    pub(super) fn new(address: Address) -> Self {
        Self(Arc::new(Place { address, state: Mutex::default(), changed: Notify::new() }))
    }

    /// Where the host is.
    #[must_use]
    pub fn address(&self) -> Address {
        self.0.address.clone()
    }

    /// From now on connecting is refused. Connections that are open stay.
    pub fn refuse(&self) {
        self.reach(Reach::Refused);
    }

    /// From now on connecting is not answered at all. Connections that are open stay.
    pub fn black_hole(&self) {
        self.reach(Reach::BlackHole);
    }

    /// Resets the connections that are open.
    pub fn cut(&self) {
        self.each(Connection::cut);
    }

    /// Ends the host, as when its process is killed: connections are reset and connecting is refused.
    pub fn kill(&self) {
        self.refuse();
        self.cut();
    }

    /// Stops the bytes of all connections, new ones included; nobody is told.
    pub fn stall(&self) {
        self.state().stalled = true;
        self.each(Connection::stall);
    }

    /// Takes the host away without a word, as when its machine loses power: open connections hear nothing more, and
    /// connecting is not answered.
    pub fn half_open(&self) {
        self.black_hole();
        self.each(Connection::half_open);
    }

    /// From now on bytes take this long each way, and connecting takes twice as long. Zero at first.
    pub fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
        self.each(|connection| connection.set_latency(latency));
    }

    /// Undoes every fault but latency: connecting succeeds, stalled bytes go on, half-open connections are reset.
    pub fn heal(&self) {
        self.state().stalled = false;
        self.reach(Reach::Open);
        self.each(Connection::heal);
    }

    /// The connections that are open, oldest first.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        let mut state = self.state();
        state.connections.retain(Connection::is_open);
        state.connections.clone()
    }

    /// How many times somebody has tried to connect.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.state().attempts
    }

    pub(super) fn set_listener(&self, listener: mpsc::UnboundedSender<Connected>) {
        self.state().listener = Some(listener);
    }

    /// Connects from `client`.
    pub(super) async fn connect(&self, client: Address) -> Result<Connected, ConnectError> {
        let latency = {
            let mut state = self.state();
            state.attempts += 1;
            state.latency
        };
        if !latency.is_zero() {
            tokio::time::sleep(2 * latency).await;
        }
        loop {
            let changed = self.0.changed.notified();
            match self.try_connect(&client) {
                Some(outcome) => return Ok(outcome?),
                None => changed.await,
            }
        }
    }

    /// The connection, a refusal, or nothing at all.
    fn try_connect(&self, client: &Address) -> Option<io::Result<Connected>> {
        let refused = || Some(Err(io::ErrorKind::ConnectionRefused.into()));
        let mut state = self.state();
        match state.reach {
            Reach::Open => {}
            Reach::Refused => return refused(),
            Reach::BlackHole => return None,
        }
        let (connection, ours, theirs) = Connection::open(state.latency);
        if state.stalled {
            connection.stall();
        }
        let remote = Some(self.address());
        let accepted = Connected {
            io: Box::new(theirs),
            peer: PeerInfo { local: remote.clone(), remote: Some(client.clone()), tls: None },
        };
        let listening = state.listener.as_ref().is_some_and(|listener| listener.send(accepted).is_ok());
        if !listening {
            return refused();
        }
        state.connections.retain(Connection::is_open);
        state.connections.push(connection);
        let peer = PeerInfo { local: Some(client.clone()), remote, tls: None };
        Some(Ok(Connected { io: Box::new(ours), peer }))
    }

    fn reach(&self, reach: Reach) {
        self.state().reach = reach;
        self.0.changed.notify_waiters();
    }

    fn each(&self, act: impl Fn(&Connection)) {
        self.connections().iter().for_each(act);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("address", &format_args!("{}", self.0.address))
            .field("connections", &self.connections().len())
            .finish_non_exhaustive()
    }
}
