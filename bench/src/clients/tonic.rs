//! The generated stub on tonic's `Channel`, with tonic's defaults.

use std::net::SocketAddr;

use thalweg_proto::bench::echo_client::EchoClient;
use tonic::transport::{Channel, Endpoint};

use crate::{error::Error, wire};

/// Connects to a server.
pub(super) async fn connect(server: SocketAddr) -> Result<EchoClient<Channel>, Error> {
    let endpoint = Endpoint::from_shared(format!("http://{server}"))?.connect_timeout(wire::CONNECT_TIMEOUT);
    Ok(EchoClient::new(endpoint.connect().await?))
}
