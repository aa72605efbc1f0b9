//! The client's end of TLS.

use std::{fmt, sync::Arc};

use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use thalweg_core::target::host_and_port;
use tokio_rustls::TlsConnector;

use super::{Identity, authorities, explain, negotiated, provider, require_h2, worded::Worded};
use crate::{
    credentials::{ChannelCredentials, ClientKind, CredentialsError, Pem},
    error::ConnectError,
    io::{BoxIo, PeerInfo},
};

/// TLS for a channel, before it is built: whom to trust, who we are, and whom we expect.
#[derive(Clone, Debug, Default)]
pub struct ClientTls {
    roots: Vec<Pem>,
    identity: Option<Identity>,
    server_name: Option<String>,
}

impl ClientTls {
    /// Trusts these authorities in the place of the system's. May be called again to trust more.
    #[must_use]
    pub fn roots_pem(mut self, authorities: impl Into<Pem>) -> Self {
        self.roots.push(authorities.into());
        self
    }

    /// Shows the server this certificate (a chain, leaf first), whose private key is `key`: mTLS.
    #[must_use]
    pub fn identity_pem(mut self, chain: impl Into<Pem>, key: impl Into<Pem>) -> Self {
        self.identity = Some(Identity { chain: chain.into(), key: key.into() });
        self
    }

    /// Expects this name (or IP address) in the server's certificate, and asks for it by SNI, in the place of the
    /// authority's host.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Reads and checks everything.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`], which names the file and what is wrong with it.
    pub fn build(self) -> Result<ChannelCredentials, CredentialsError> {
        let provider = provider();
        let server_name = match self.server_name {
            Some(name) => Some(ServerName::try_from(name.clone()).map_err(|_| CredentialsError::BadServerName(name))?),
            None => None,
        };
        let roots = if self.roots.is_empty() { system_roots()? } else { authorities(&self.roots)? };
        let identity = self.identity.map(|identity| identity.load(&provider)).transpose()?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites for TLS 1.2 and 1.3")
            .with_root_certificates(roots);
        let config = match identity {
            Some(identity) => config.with_client_cert_resolver(identity),
            None => config.with_no_client_auth(),
        };
        let handshake = ClientHandshake::new(Arc::new(config), server_name)?;
        Ok(ChannelCredentials(ClientKind::Tls(handshake)))
    }
}

/// The authorities that the system trusts.
fn system_roots() -> Result<RootCertStore, CredentialsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
    let reason = if reasons.is_empty() { "its store is empty".to_owned() } else { reasons.join("; ") };
    Err(CredentialsError::NoSystemRoots(reason.into()))
}

/// Makes handshakes with servers.
#[derive(Clone)]
pub(in crate::credentials) struct ClientHandshake {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
}

impl ClientHandshake {
    /// Handshakes by this configuration, which comes to offer `h2`.
    pub(in crate::credentials) fn new(
        mut config: Arc<ClientConfig>,
        server_name: Option<ServerName<'static>>,
    ) -> Result<Self, CredentialsError> {
        if let Some(protocols) = require_h2(&config.alpn_protocols)? {
            Arc::make_mut(&mut config).alpn_protocols = protocols;
        }
        Ok(Self { config, server_name })
    }

    /// Shakes hands with the server of `authority`.
    pub(in crate::credentials) async fn secure(
        &self,
        io: BoxIo,
        mut peer: PeerInfo,
        authority: &str,
    ) -> Result<(BoxIo, PeerInfo), ConnectError> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => name_of(authority)?,
        };
        let asked = name.to_str().into_owned();
        let stream = TlsConnector::from(Arc::clone(&self.config))
            .connect(name, io)
            .await
            .map_err(|error| ConnectError::Tls(explain::handshake(&error).into()))?;
        peer.tls = Some(Arc::new(negotiated(stream.get_ref().1, Some(asked), "server")?));
        Ok((Box::new(Worded(stream)), peer))
    }
}

/// The name that a certificate for `authority` bears: its host.
fn name_of(authority: &str) -> Result<ServerName<'static>, ConnectError> {
    let host = host_and_port(authority, 443).map_or(authority, |(host, _)| host);
    ServerName::try_from(host.to_owned())
        .map_err(|_| ConnectError::Tls(format!("no certificate can be for {host:?}: set a server name").into()))
}

impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}
