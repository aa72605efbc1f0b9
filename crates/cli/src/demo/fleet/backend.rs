//! One backend: a server on a port of its own, and its comings and goings.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use thalweg::{
    core::endpoint::{Address, Endpoint},
    server::{ServerError, ServerHandle},
};

use super::Greeter;
use crate::demo::{figures, onlooker::Number};

/// What calls in flight have to finish when a backend is drained: more than any call's deadline.
const GRACE: Duration = Duration::from_secs(10);
/// Any free port.
const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A server that greets, or that did and may again.
#[derive(Debug)]
pub(super) struct Backend {
    number: usize,
    greeter: Greeter,
    address: Address,
    server: ServerHandle,
}

impl Backend {
    /// Starts the backend of this number; a call takes it about `pace`.
    pub(super) async fn start(number: usize, pace: Duration) -> Result<Self, ServerError> {
        let greeter = Greeter::new(figures::name(number), pace);
        let (address, server) = greeter.serve(ANYWHERE).await?;
        Ok(Self { number, greeter, address, server })
    }

    /// Serves again: where it did or, if that is taken, anywhere.
    pub(super) async fn restart(&mut self) -> Result<(), ServerError> {
        let again = match self.greeter.serve(self.address.to_string()).await {
            Err(ServerError::Bind { .. }) => self.greeter.serve(ANYWHERE).await,
            served => served,
        };
        (self.address, self.server) = again?;
        Ok(())
    }

    /// Stops gracefully: clients hear GOAWAY, calls finish.
    pub(super) async fn drain(&mut self) {
        self.server.graceful_stop(GRACE).await;
    }

    /// Stops at once: calls and connections end.
    pub(super) async fn kill(&mut self) {
        self.server.stop();
        self.server.stopped().await;
    }

    /// Where it listens.
    pub(super) fn address(&self) -> Address {
        self.address.clone()
    }

    /// What a resolver says of it.
    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::new([self.address()]).with(Number(self.number))
    }

    /// How many calls are in its hands.
    pub(super) fn in_flight(&self) -> u64 {
        self.greeter.in_flight()
    }
}
