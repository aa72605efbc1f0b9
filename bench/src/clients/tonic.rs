//! The generated stub on tonic's `Channel`, with tonic's defaults but for one window.

use std::net::SocketAddr;

use thalweg_proto::bench::echo_client::EchoClient;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::Work;
use crate::{error::Error, protocol};

/// The window of a stream of small messages that come faster than they are read. More of them unread is an attack to the
/// `h2` crate under tonic, and ends the connection; the window is still that of hundreds of messages.
const SMALL_MESSAGES_WINDOW: u32 = 8 << 10;

/// Connects to a server, by TLS if there is a certificate to trust.
pub(super) async fn connect(server: SocketAddr, trust: Option<&str>, work: Work) -> Result<EchoClient<Channel>, Error> {
    let scheme = if trust.is_some() { "https" } else { "http" };
    let mut endpoint =
        Endpoint::from_shared(format!("{scheme}://{server}"))?.connect_timeout(protocol::CONNECT_TIMEOUT);
    if let Some(certificate) = trust {
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(certificate));
        endpoint = endpoint.tls_config(tls)?;
    }
    if work == Work::ServerStream {
        endpoint = endpoint.initial_stream_window_size(SMALL_MESSAGES_WINDOW);
    }
    Ok(EchoClient::new(endpoint.connect().await?))
}
