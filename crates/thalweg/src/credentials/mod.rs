//! Credentials: how a connection is secured (TLS by rustls, or not at all) and what each call carries to prove who it
//! is for.
//!
//! TLS stands behind the feature `tls`. The crypto provider is ring, passed as a value: no process-wide default is
//! needed or changed.

pub mod call;

#[cfg(feature = "tls")]
mod tls;

#[cfg(feature = "tls")]
mod error;
#[cfg(feature = "tls")]
mod pem;

use crate::{
    error::ConnectError,
    io::{BoxIo, PeerInfo},
};

pub use call::{AllowInsecure, CachedToken, CallContext, CallCredentials, Token, TokenSource};
#[cfg(feature = "tls")]
pub use error::{CredentialsError, PemOrigin};
#[cfg(feature = "tls")]
pub use pem::Pem;
#[cfg(feature = "tls")]
pub use tls::{ClientTls, ServerTls};

/// How a channel secures its connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ChannelCredentials(ClientKind);

#[derive(Clone, Debug)]
enum ClientKind {
    Insecure,
    #[cfg(feature = "tls")]
    Tls(tls::ClientHandshake),
}

impl ChannelCredentials {
    /// Plaintext: whoever is on the path can read and change everything.
    #[must_use]
    pub fn insecure() -> Self {
        Self(ClientKind::Insecure)
    }

    /// TLS, to be described further; as it stands, the system's roots and no client certificate.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls() -> ClientTls {
        ClientTls::default()
    }

    /// TLS by a ready-made configuration. ALPN `h2` is added if its list of protocols is empty.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::AlpnWithoutH2`] if the list has other protocols only: gRPC needs `h2`.
    #[cfg(feature = "tls")]
    pub fn rustls(config: std::sync::Arc<rustls::ClientConfig>) -> Result<Self, CredentialsError> {
        tls::ClientHandshake::new(config, None).map(|tls| Self(ClientKind::Tls(tls)))
    }

    /// Is what is sent kept from others?
    pub(crate) fn is_secure(&self) -> bool {
        match self.0 {
            ClientKind::Insecure => false,
            #[cfg(feature = "tls")]
            ClientKind::Tls(_) => true,
        }
    }

    /// The `:scheme` of requests: `https` or `http`.
    pub(crate) fn scheme(&self) -> http::uri::Scheme {
        if self.is_secure() { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP }
    }

    /// Secures a connection to `authority` (`host[:port]`), whose host the server's certificate must bear unless the
    /// credentials name another.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables))]
    pub(crate) async fn secure(
        &self,
        io: BoxIo,
        peer: PeerInfo,
        authority: &str,
    ) -> Result<(BoxIo, PeerInfo), ConnectError> {
        match &self.0 {
            ClientKind::Insecure => Ok((io, peer)),
            #[cfg(feature = "tls")]
            ClientKind::Tls(tls) => tls.secure(io, peer, authority).await,
        }
    }
}

/// Has the server at the other end proven to be `host`, too? Over plaintext nobody proves anything (A81).
#[cfg_attr(not(feature = "tls"), allow(unused_variables))]
pub(crate) fn covers(peer: &PeerInfo, host: &str) -> bool {
    #[cfg(feature = "tls")]
    if let Some(info) = &peer.tls {
        return tls::covers(info, host);
    }
    true
}

/// How a server secures the connections of one listener. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServerCredentials(ServerKind);

#[derive(Clone, Debug)]
enum ServerKind {
    Insecure,
    #[cfg(feature = "tls")]
    Tls(tls::ServerHandshake),
}

impl ServerCredentials {
    /// Plaintext.
    #[must_use]
    pub fn insecure() -> Self {
        Self(ServerKind::Insecure)
    }

    /// TLS, to be described further; it needs a certificate and its key.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls() -> ServerTls {
        ServerTls::default()
    }

    /// TLS by a ready-made configuration. ALPN `h2` is added if its list of protocols is empty.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::AlpnWithoutH2`] if the list has other protocols only: gRPC needs `h2`.
    #[cfg(feature = "tls")]
    pub fn rustls(config: std::sync::Arc<rustls::ServerConfig>) -> Result<Self, CredentialsError> {
        tls::ServerHandshake::new(config).map(|tls| Self(ServerKind::Tls(tls)))
    }

    /// Secures a connection that was accepted.
    pub(crate) async fn accept(&self, io: BoxIo, peer: PeerInfo) -> Result<(BoxIo, PeerInfo), ConnectError> {
        match &self.0 {
            ServerKind::Insecure => Ok((io, peer)),
            #[cfg(feature = "tls")]
            ServerKind::Tls(tls) => tls.accept(io, peer).await,
        }
    }
}
