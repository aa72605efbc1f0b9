//! TLS for the client and the server without a stub, and the certificate that every client trusts.

use std::{net::SocketAddr, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

use crate::error::Error;

/// The only protocol of gRPC.
const H2: &[u8] = b"h2";

/// Ends TLS with a fresh certificate for the loopback address; and the certificate, PEM.
pub(crate) fn acceptor() -> Result<(TlsAcceptor, String), Error> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::from(signing_key);
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)?;
    config.alpn_protocols = vec![H2.to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), cert.pem()))
}

/// Begins TLS with a server whose certificate is this one, PEM.
pub(crate) async fn connect(
    certificate: &str,
    server: SocketAddr,
    socket: TcpStream,
) -> Result<TlsStream<TcpStream>, Error> {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes());
    let certificate = certificate.map_err(|invalid| Error::io("--trust")(std::io::Error::other(invalid)))?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![H2.to_vec()];
    let connecting = TlsConnector::from(Arc::new(config)).connect(server.ip().into(), socket);
    connecting.await.map_err(Error::io(format!("TLS with {server}")))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
