//! The generated stub on tonic's `Channel`, with tonic's defaults.

use std::net::SocketAddr;

use thalweg_proto::bench::echo_client::EchoClient;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::{error::Error, protocol};

/// Connects to a server, by TLS if there is a certificate to trust.
pub(super) async fn connect(server: SocketAddr, trust: Option<&str>) -> Result<EchoClient<Channel>, Error> {
    let scheme = if trust.is_some() { "https" } else { "http" };
    let mut endpoint =
        Endpoint::from_shared(format!("{scheme}://{server}"))?.connect_timeout(protocol::CONNECT_TIMEOUT);
    if let Some(certificate) = trust {
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(certificate));
        endpoint = endpoint.tls_config(tls)?;
    }
    Ok(EchoClient::new(endpoint.connect().await?))
}
