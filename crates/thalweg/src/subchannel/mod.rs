//! One attempt to connect: byte stream, security, HTTP/2, each within the attempt's time. And what a subchannel makes of its
//! connections: a [`pool`].

pub(crate) mod pool;

mod queue;

use std::{future::Future, sync::Arc, time::Instant};

use thalweg_core::{endpoint::Address, lb::SubchannelId};

use crate::{
    credentials::ChannelCredentials,
    error::{ConnectError, WireErrorKind},
    rt,
    transport::{
        Connected, Connector,
        client::{self, Connection, ConnectionEvent, Drive},
        crowd::Crowd,
        keepalive::Keepalive,
        ledger::Ledger,
        options::Http2Options,
    },
};

/// One connection of a subchannel: a subchannel has many in its life, and news of an old one must not hurt a new one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ConnectionKey {
    pub(crate) subchannel: SubchannelId,
    /// Counts the subchannel's attempts to connect.
    pub(crate) attempt: u64,
}

/// How a channel connects, the same for all of its subchannels.
#[derive(Clone, Debug)]
pub(crate) struct Connecting {
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) credentials: ChannelCredentials,
    /// The channel's authority: what the server's certificate must be valid for.
    pub(crate) authority: Arc<str>,
    pub(crate) http2: Http2Options,
    pub(crate) keepalive: Keepalive,
    pub(crate) ledger: Arc<Ledger>,
}

impl Connecting {
    /// Connects to `address` until `deadline`. The connection is ready for calls, and moves while what comes with it
    /// runs; `on_event` hears how it goes on, and the `crowd` of those who wait for a stream, when there is room.
    pub(crate) async fn attempt<F: Fn(ConnectionEvent) + Unpin>(
        &self,
        address: Address,
        deadline: Instant,
        crowd: Arc<Crowd>,
        on_event: F,
    ) -> Result<(Connection, Drive<F>), ConnectError> {
        let begun = rt::now();
        let within = |doing| Within { doing, begun, deadline };
        let Connected { io, peer } = within("connecting").run(self.connector.connect(address)).await?;
        let handshakes = async {
            let (io, peer) =
                within("the TLS handshake").run(self.credentials.secure(io, peer, &self.authority)).await?;
            within("waiting for the server's HTTP/2 settings")
                .run(client::connect(io, peer, &self.http2, self.keepalive, crowd, &self.ledger, on_event))
                .await
        };
        handshakes.await.map_err(|error| {
            self.ledger.note_failure(&error);
            self.suspect(error)
        })
    }

    /// A plaintext client that hears gibberish may be talking to a server that speaks TLS.
    fn suspect(&self, error: ConnectError) -> ConnectError {
        match error {
            ConnectError::Handshake(error)
                if !self.credentials.is_secure()
                    && matches!(error.kind, WireErrorKind::Protocol(_) | WireErrorKind::Violation(_)) =>
            {
                ConnectError::PlaintextHandshake(error)
            }
            other => other,
        }
    }
}

/// One step of an attempt, and the time all of them have.
struct Within {
    doing: &'static str,
    begun: Instant,
    deadline: Instant,
}

impl Within {
    async fn run<T>(self, step: impl Future<Output = Result<T, ConnectError>>) -> Result<T, ConnectError> {
        tokio::select! {
            biased;
            result = step => result,
            () = rt::sleep_until(self.deadline) => {
                Err(ConnectError::TimedOut { doing: self.doing, after: self.deadline - self.begun })
            }
        }
    }
}
