//! The generated service on tonic's `Server`, with tonic's defaults but for the number of concurrent streams.

use thalweg_proto::bench::echo_server::EchoServer;
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

use super::echo::EchoService;
use crate::{error::Error, protocol};

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener) -> Result<(), Error> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .max_concurrent_streams(protocol::MAX_CONCURRENT_STREAMS)
        .add_service(EchoServer::new(EchoService::default()))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}
