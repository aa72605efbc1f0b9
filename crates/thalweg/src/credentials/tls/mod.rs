//! TLS by rustls with the ring provider: what both ends have in common.

#[cfg(test)]
mod tests;

mod client;
mod server;

mod explain;
mod worded;

use std::sync::Arc;

use rustls::{
    CommonState, Error, RootCertStore,
    client::verify_server_name,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    server::ParsedCertificate,
    sign::{CertifiedKey, SingleCertAndKey},
};

use super::{error::CredentialsError, pem::Pem};
use crate::{error::ConnectError, io::TlsInfo};

pub(super) use client::ClientHandshake;
pub use client::ClientTls;
pub(super) use server::ServerHandshake;
pub use server::ServerTls;

/// gRPC's protocol by ALPN.
const H2: &[u8] = b"h2";

/// The crypto provider, as a value.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A certificate chain, leaf first, and the key of its leaf.
#[derive(Clone, Debug)]
struct Identity {
    chain: Pem,
    key: Pem,
}

impl Identity {
    /// Reads both and checks that they belong together.
    fn load(&self, provider: &CryptoProvider) -> Result<Arc<SingleCertAndKey>, CredentialsError> {
        let chain = self.chain.certificates()?;
        let key = self.key.private_key()?;
        self.certify(provider, chain, key).map(|certified| Arc::new(SingleCertAndKey::from(certified)))
    }

    fn certify(
        &self,
        provider: &CryptoProvider,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<CertifiedKey, CredentialsError> {
        CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
            Error::InconsistentKeys(_) => {
                CredentialsError::KeyMismatch { certificate: self.chain.origin(), key: self.key.origin() }
            }
            Error::InvalidCertificate(reason) => {
                CredentialsError::BadCertificate { origin: self.chain.origin(), reason: reason.to_string().into() }
            }
            other => CredentialsError::BadKey { origin: self.key.origin(), reason: other.to_string().into() },
        })
    }
}

/// The authorities in these pieces of PEM.
fn authorities(pems: &[Pem]) -> Result<RootCertStore, CredentialsError> {
    let mut roots = RootCertStore::empty();
    for pem in pems {
        for certificate in pem.certificates()? {
            roots.add(certificate).map_err(|error| CredentialsError::BadCertificate {
                origin: pem.origin(),
                reason: error.to_string().into(),
            })?;
        }
    }
    Ok(roots)
}

/// Sees to it that `h2` is among these ALPN protocols: an empty list becomes just that.
fn require_h2(protocols: &[Vec<u8>]) -> Result<Option<Vec<Vec<u8>>>, CredentialsError> {
    if protocols.is_empty() {
        return Ok(Some(vec![H2.to_vec()]));
    }
    if protocols.iter().any(|protocol| protocol == H2) {
        return Ok(None);
    }
    let names = protocols.iter().map(|protocol| String::from_utf8_lossy(protocol).into_owned());
    Err(CredentialsError::AlpnWithoutH2(names.collect()))
}

/// What the handshake of this connection came to; an error unless it came to `h2`.
fn negotiated(connection: &CommonState, server_name: Option<String>, who: &str) -> Result<TlsInfo, ConnectError> {
    match connection.alpn_protocol() {
        Some(H2) => {}
        None => {
            let text = format!("the {who} did not negotiate h2 by ALPN, which gRPC needs");
            return Err(ConnectError::Tls(text.into()));
        }
        Some(other) => {
            let text = format!("the {who} negotiated {} by ALPN, and gRPC needs h2", other.escape_ascii());
            return Err(ConnectError::Tls(text.into()));
        }
    }
    let chain = connection.peer_certificates().unwrap_or_default();
    Ok(TlsInfo {
        peer_certificates: chain.iter().map(|certificate| certificate.to_vec()).collect(),
        server_name,
        protocol: connection.protocol_version().and_then(|version| version.as_str()).unwrap_or_default().to_owned(),
        cipher_suite: connection
            .negotiated_cipher_suite()
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or_default()
            .to_owned(),
    })
}

/// Is the peer's certificate valid for `host`?
pub(super) fn covers(info: &TlsInfo, host: &str) -> bool {
    let Some(leaf) = info.peer_certificates.first() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let (leaf, name) = (CertificateDer::from(leaf.as_slice()), ServerName::try_from(host));
    let parsed = ParsedCertificate::try_from(&leaf);
    matches!((parsed, name), (Ok(leaf), Ok(name)) if verify_server_name(&leaf, &name).is_ok())
}
