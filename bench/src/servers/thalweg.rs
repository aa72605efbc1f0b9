//! The generated service on thalweg's `Server`, with thalweg's defaults but for the number of concurrent streams.

use thalweg::Server;
use thalweg_proto::bench::echo_server::EchoServer;
use tokio::net::TcpListener;

use super::echo::EchoService;
use crate::{error::Error, protocol};

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener) -> Result<(), Error> {
    let server = Server::builder()
        .max_concurrent_streams(protocol::MAX_CONCURRENT_STREAMS)
        .add_service(EchoServer::new(EchoService))
        .listen(listener)
        .bind()
        .await?;
    server.run().await;
    Ok(())
}
