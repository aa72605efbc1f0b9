//! thalweg's `Channel` with the round_robin policy and else thalweg's defaults, under the generated stub.

use std::net::SocketAddr;

use thalweg::{Channel, credentials::ChannelCredentials};
use thalweg_proto::bench::echo_client::EchoClient;
use tokio::time::timeout;

use crate::{error::Error, protocol};

/// The policy that picks anew for every call, and the number of connections.
fn service_config(connections: u32) -> String {
    format!(
        r#"{{"loadBalancingConfig":[{{"round_robin":{{}}}}],"connectionScaling":{{"maxConnectionsPerSubchannel":{connections}}}}}"#
    )
}

/// Connects a stub to a server, by TLS if there is a certificate to trust, with up to so many connections.
pub(super) async fn connect(
    server: SocketAddr,
    trust: Option<&str>,
    connections: u32,
) -> Result<EchoClient<Channel>, Error> {
    Ok(EchoClient::new(channel(server, trust, connections).await?))
}

/// Connects to a server, by TLS if there is a certificate to trust, with up to so many connections.
pub(super) async fn channel(server: SocketAddr, trust: Option<&str>, connections: u32) -> Result<Channel, Error> {
    let mut builder = Channel::builder(format!("ipv4:{server}")).default_service_config(service_config(connections));
    if let Some(certificate) = trust {
        builder = builder.credentials(ChannelCredentials::tls().roots_pem(certificate).build()?);
    }
    let channel = builder.build()?;
    timeout(protocol::CONNECT_TIMEOUT, channel.ready()).await.map_err(|_| Error::NotReady(server))?;
    Ok(channel)
}
