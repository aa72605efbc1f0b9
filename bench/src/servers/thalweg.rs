//! The generated service on thalweg's `Server`, with thalweg's defaults but for the number of concurrent streams.

use std::time::Duration;

use thalweg::Server;
use thalweg_proto::bench::echo_server::EchoServer;
use tokio::net::TcpListener;

use super::echo::EchoService;
use crate::{error::Error, protocol};

/// How it serves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Calls on a connection.
    streams: u32,
    /// What a unary call takes.
    delay: Duration,
}

impl Manner {
    /// No limit stands in the way.
    pub(super) const USUAL: Self = Self { streams: protocol::MAX_CONCURRENT_STREAMS, delay: Duration::ZERO };
    /// As many calls on a connection as most servers allow.
    pub(super) const NARROW: Self = Self { streams: 100, delay: Duration::ZERO };
    /// The same with something to do.
    pub(super) const SLOW: Self = Self { streams: 100, delay: Duration::from_millis(10) };
}

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener, manner: Manner) -> Result<(), Error> {
    let server = Server::builder()
        .max_concurrent_streams(manner.streams)
        .add_service(EchoServer::new(EchoService { delay: manner.delay }))
        .listen(listener)
        .bind()
        .await?;
    server.run().await;
    Ok(())
}
