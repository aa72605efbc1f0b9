//! A byte stream, and who is at its other end.

use std::{any::Any, fmt, sync::Arc};

use thalweg_core::endpoint::Address;
use tokio::io::{AsyncRead, AsyncWrite};

/// What HTTP/2 runs on: any byte stream.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + Any {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + Any> Io for T {}

/// A byte stream of any kind.
pub type BoxIo = Box<dyn Io>;

/// The two ends of a connection and how it is secured. Cheap to clone; in the extensions of a response whose request
/// [asked](crate::request::RequestExt::want_peer), and within a handler's reach by [`ServerRequestExt::peer`](crate::context::ServerRequestExt::peer).
#[derive(Clone, Debug, Default)]
pub struct PeerInfo {
    /// Our end, if the transport has addresses.
    pub local: Option<Address>,
    /// The other end, if the transport has addresses.
    pub remote: Option<Address>,
    /// What TLS negotiated; `None` over plaintext.
    pub tls: Option<Arc<TlsInfo>>,
}

/// What a TLS handshake negotiated.
#[derive(Clone, Default)]
pub struct TlsInfo {
    /// The peer's certificate chain in DER, leaf first; empty if it sent none.
    pub peer_certificates: Vec<Vec<u8>>,
    /// The name that the client asked for (SNI), if any.
    pub server_name: Option<String>,
    /// `TLSv1_3`, `TLSv1_2`.
    pub protocol: String,
    /// The cipher suite's IANA name.
    pub cipher_suite: String,
}

impl fmt::Debug for TlsInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsInfo")
            .field("protocol", &self.protocol)
            .field("cipher_suite", &self.cipher_suite)
            .field("server_name", &self.server_name)
            .field("peer_certificates", &self.peer_certificates.len())
            .finish()
    }
}
