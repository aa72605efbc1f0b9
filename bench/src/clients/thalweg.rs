//! The generated stub on thalweg's `Channel`, with thalweg's defaults.

use std::net::SocketAddr;

use thalweg::Channel;
use thalweg_proto::bench::echo_client::EchoClient;
use tokio::time::timeout;

use crate::{error::Error, wire};

/// Connects to a server.
pub(super) async fn connect(server: SocketAddr) -> Result<EchoClient<Channel>, Error> {
    let channel = Channel::builder(format!("ipv4:{server}")).build()?;
    timeout(wire::CONNECT_TIMEOUT, channel.ready()).await.map_err(|_| Error::NotReady(server))?;
    Ok(EchoClient::new(channel))
}
