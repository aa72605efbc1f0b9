//! The task of one connection: it is secured, speaks HTTP/2, hands every call to a task of its own, and ends (A9).

use std::{
    future::poll_fn,
    ops::ControlFlow,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use super::{
    call::{Call, CallRules, Shared},
    lifetime::{Lifetime, LifetimeLimits, Next},
    shutdown::{Alive, Phase, Watch},
};
use crate::{
    context,
    credentials::ServerCredentials,
    error::ConnectError,
    io::PeerInfo,
    rt::{self, Alarm},
    transport::{
        Connected,
        keepalive::{Action, Enforcement, Keepalive, KeepaliveEnforcement, KeepaliveState},
        ledger::Ledger,
        options::Http2Options,
        server::ServerConnection,
    },
};

/// What the connections of a server have in common.
#[derive(Debug)]
pub(super) struct ConnectionRules {
    pub(super) calls: Arc<CallRules>,
    pub(super) http2: Http2Options,
    pub(super) max_concurrent_streams: u32,
    pub(super) handshake_timeout: Duration,
    pub(super) keepalive: Keepalive,
    pub(super) enforcement: KeepaliveEnforcement,
    pub(super) lifetime: LifetimeLimits,
    pub(super) ledger: Arc<Ledger>,
}

/// Serves one connection until it ends. A client that cannot even connect harms nobody: it is logged and let go.
pub(super) async fn serve(
    connected: Connected,
    credentials: ServerCredentials,
    rules: Arc<ConnectionRules>,
    mut watch: Watch,
    alive: Alive,
) {
    let remote = connected.peer.remote.clone();
    let made = tokio::select! {
        biased;
        () = watch.stopping() => return,
        made = shake_hands(connected, &credentials, &rules) => made,
        () = rt::sleep(rules.handshake_timeout) => {
            Err(ConnectError::TimedOut { doing: "the handshake", after: rules.handshake_timeout })
        }
    };
    match made {
        Ok((connection, peer)) => {
            let known = Arc::new(context::Connection::new(peer));
            let shared = Arc::new(Shared { rules: Arc::clone(&rules.calls), connection: known, _alive: alive });
            Service::new(connection, shared, &rules).run(watch).await;
        }
        Err(error) => {
            rules.ledger.note_failure(&error);
            tracing::debug!(?remote, %error, "a connection was not made");
        }
    }
}

async fn shake_hands(
    connected: Connected,
    credentials: &ServerCredentials,
    rules: &ConnectionRules,
) -> Result<(ServerConnection, PeerInfo), ConnectError> {
    let (io, peer) = credentials.accept(connected.io, connected.peer).await?;
    let enforcement = Enforcement::new(rules.enforcement);
    let ConnectionRules { http2, max_concurrent_streams, ledger, .. } = rules;
    let handshake = ServerConnection::handshake(io, peer.clone(), http2, *max_concurrent_streams, enforcement, ledger);
    Ok((handshake.await.map_err(ConnectError::Handshake)?, peer))
}

/// A connection at work.
struct Service {
    connection: ServerConnection,
    shared: Arc<Shared>,
    lifetime: Lifetime,
    keepalive: KeepaliveState,
    /// A keepalive ping waits for its answer.
    pinged: bool,
    /// Calls were in flight at the last look.
    active: bool,
    /// Somebody wants to know.
    counts_calls: bool,
}

/// Why a connection needs attention.
enum Event {
    /// It has ended.
    Ended,
    /// The first call came, or the last one ended.
    Activity,
    /// The server is in another phase.
    Phase,
    /// Something may be due.
    Alarm,
    /// The ping was answered.
    Pong,
}

impl Service {
    fn new(connection: ServerConnection, shared: Arc<Shared>, rules: &ConnectionRules) -> Self {
        let now = rt::now();
        let lifetime = Lifetime::new(rules.lifetime, now, fastrand::f64());
        let mut service = Self {
            connection,
            shared,
            lifetime,
            keepalive: KeepaliveState::new(rules.keepalive, now),
            pinged: false,
            active: false,
            counts_calls: false,
        };
        if rules.lifetime.idle.is_some() || !rules.keepalive.while_idle {
            service.count_calls();
        }
        service
    }

    /// From here on it matters whether calls are in flight.
    fn count_calls(&mut self) {
        self.counts_calls = true;
        self.connection.watch_calls();
    }

    async fn run(mut self, mut watch: Watch) {
        let mut alarm = Alarm::default();
        loop {
            if self.follow(watch.phase()).is_break() || self.steer(&mut alarm).is_break() {
                return self.cut().await;
            }
            match self.next(&mut alarm, &mut watch).await {
                Event::Ended => return,
                Event::Activity => self.lifetime.set_active(self.active, rt::now()),
                Event::Pong => {
                    self.pinged = false;
                    self.keepalive.on_pong(rt::now());
                }
                Event::Phase | Event::Alarm => {}
            }
        }
    }

    async fn next(&mut self, alarm: &mut Alarm, watch: &mut Watch) -> Event {
        let changed = watch.changed();
        tokio::pin!(changed);
        poll_fn(|cx| {
            if let Poll::Ready(event) = self.poll_calls(cx) {
                return Poll::Ready(event);
            }
            if changed.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Event::Phase);
            }
            if self.pinged && self.connection.poll_pong().is_ready() {
                return Poll::Ready(Event::Pong);
            }
            alarm.poll_ring(cx).map(|()| Event::Alarm)
        })
        .await
    }

    /// Moves the connection on, and gives every call that comes in a task.
    fn poll_calls(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        while let Poll::Ready(accepted) = self.connection.poll_accept(cx) {
            match accepted {
                Some(Ok(incoming)) => rt::spawn(Call::new(incoming, Arc::clone(&self.shared))).detach(),
                Some(Err(error)) => {
                    tracing::debug!(remote = ?self.shared.connection.peer().remote, %error, "a connection broke");
                    return Poll::Ready(Event::Ended);
                }
                None => return Poll::Ready(Event::Ended),
            }
        }
        let came = self.connection.take_came();
        if !self.counts_calls {
            return Poll::Pending;
        }
        // A call that came and ended since the last look was a call: idleness counts from now.
        let active = self.connection.has_calls() || came && !self.active;
        if self.active != active {
            self.active = active;
            return Poll::Ready(Event::Activity);
        }
        Poll::Pending
    }

    /// Does what the server's phase asks for; breaks if the connection is to be cut.
    fn follow(&mut self, phase: Phase) -> ControlFlow<()> {
        match phase {
            Phase::Serving | Phase::Leaving { .. } => {}
            Phase::Draining(cut) => {
                self.lifetime.drain(rt::now(), Some(cut));
                self.say_goodbye();
            }
            Phase::Cut(_) => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    /// Does what is due and sets the alarm for what is not; breaks if the connection is to be cut.
    fn steer(&mut self, alarm: &mut Alarm) -> ControlFlow<()> {
        let now = rt::now();
        let lifetime = loop {
            match self.lifetime.decide(now) {
                Next::Wait(until) => break until,
                Next::Drain => self.say_goodbye(),
                Next::Insist => self.connection.insist(),
                Next::Cut => return ControlFlow::Break(()),
            }
        };
        let keepalive = loop {
            match self.keepalive.decide(now, self.connection.last_read(), self.active) {
                Action::Wait(until) => break until,
                Action::Ping => {
                    self.connection.ping();
                    self.pinged = true;
                }
                Action::Close => {
                    self.connection.note_silence();
                    return ControlFlow::Break(());
                }
            }
        };
        alarm.set([lifetime, keepalive].into_iter().flatten().min());
        ControlFlow::Continue(())
    }

    /// GOAWAY; saying it again changes nothing.
    fn say_goodbye(&mut self) {
        self.connection.drain();
        self.shared.connection.say_goodbye();
        self.count_calls();
        self.active = self.connection.has_calls();
        self.lifetime.set_active(self.active, rt::now());
    }

    /// Ends all calls, tells the client if it listens, and closes.
    async fn cut(mut self) {
        self.connection.cut();
        poll_fn(|cx| self.connection.poll_closed(cx)).await;
    }
}
