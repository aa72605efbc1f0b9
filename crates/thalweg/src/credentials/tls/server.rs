//! The server's end of TLS.

use std::{fmt, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio_rustls::TlsAcceptor;

use super::{Identity, authorities, explain, negotiated, provider, require_h2, worded::Worded};
use crate::{
    credentials::{CredentialsError, Pem, ServerCredentials, ServerKind},
    error::ConnectError,
    io::{BoxIo, PeerInfo},
};

/// TLS for a server, before it is built: who we are, and which clients we let in.
#[derive(Clone, Debug, Default)]
pub struct ServerTls {
    identity: Option<Identity>,
    client_authorities: Vec<Pem>,
    client_optional: bool,
}

impl ServerTls {
    /// Shows clients this certificate (a chain, leaf first), whose private key is `key`.
    #[must_use]
    pub fn identity_pem(mut self, chain: impl Into<Pem>, key: impl Into<Pem>) -> Self {
        self.identity = Some(Identity { chain: chain.into(), key: key.into() });
        self
    }

    /// Requires of each client a certificate by one of these authorities: mTLS. May be called again to trust more.
    #[must_use]
    pub fn client_ca_pem(mut self, authorities: impl Into<Pem>) -> Self {
        self.client_authorities.push(authorities.into());
        self
    }

    /// Lets in clients without a certificate as well. One that shows a certificate must show a good one.
    #[must_use]
    pub fn client_auth_optional(mut self) -> Self {
        self.client_optional = true;
        self
    }

    /// Reads and checks everything.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`], which names the file and what is wrong with it.
    pub fn build(self) -> Result<ServerCredentials, CredentialsError> {
        let provider = provider();
        let identity = self.identity.as_ref().ok_or(CredentialsError::NoIdentity)?.load(&provider)?;
        let verifier = self.client_verifier(&provider)?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites for TLS 1.2 and 1.3")
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(identity);
        ServerHandshake::new(Arc::new(config)).map(|handshake| ServerCredentials(ServerKind::Tls(handshake)))
    }

    fn client_verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, CredentialsError> {
        if self.client_authorities.is_empty() {
            let none = || Ok(WebPkiClientVerifier::no_client_auth());
            return if self.client_optional { Err(CredentialsError::NoClientCa) } else { none() };
        }
        let roots = Arc::new(authorities(&self.client_authorities)?);
        let builder = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
        let builder = if self.client_optional { builder.allow_unauthenticated() } else { builder };
        Ok(builder.build().expect("there is an authority, and no revocation list to be malformed"))
    }
}

/// Makes handshakes with clients.
#[derive(Clone)]
pub(in crate::credentials) struct ServerHandshake {
    config: Arc<ServerConfig>,
}

impl ServerHandshake {
    /// Handshakes by this configuration, which comes to accept `h2`.
    pub(in crate::credentials) fn new(mut config: Arc<ServerConfig>) -> Result<Self, CredentialsError> {
        if let Some(protocols) = require_h2(&config.alpn_protocols)? {
            Arc::make_mut(&mut config).alpn_protocols = protocols;
        }
        Ok(Self { config })
    }

    /// Shakes hands with a client.
    pub(in crate::credentials) async fn accept(
        &self,
        io: BoxIo,
        mut peer: PeerInfo,
    ) -> Result<(BoxIo, PeerInfo), ConnectError> {
        let stream = TlsAcceptor::from(Arc::clone(&self.config))
            .accept(io)
            .await
            .map_err(|error| ConnectError::Tls(explain::handshake(&error).into()))?;
        let connection = stream.get_ref().1;
        let asked = connection.server_name().map(str::to_owned);
        peer.tls = Some(Arc::new(negotiated(connection, asked, "client")?));
        Ok((Box::new(Worded(stream)), peer))
    }
}

impl fmt::Debug for ServerHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandshake").finish_non_exhaustive()
    }
}
