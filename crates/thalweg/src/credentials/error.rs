//! Why credentials could not be built: each a variant that names the piece.

use std::{fmt, io, path::PathBuf, sync::Arc};

use thiserror::Error;

/// Where a piece of PEM came from.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PemOrigin {
    /// Bytes in memory.
    Memory,
    /// A file.
    File(PathBuf),
}

impl fmt::Display for PemOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("the PEM given in memory"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Why credentials could not be built.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A file cannot be read.
    #[error("cannot read {}: {text}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The kind of failure.
        kind: io::ErrorKind,
        /// In words.
        text: Arc<str>,
    },
    /// PEM without a certificate in it.
    #[error("no certificate in {0}")]
    NoCertificate(PemOrigin),
    /// PEM without a private key that we can use: encrypted keys are not supported.
    #[error("no unencrypted private key in {0}")]
    NoKey(PemOrigin),
    /// PEM that is broken.
    #[error("malformed PEM in {origin}: {reason}")]
    MalformedPem {
        /// Where.
        origin: PemOrigin,
        /// How.
        reason: Arc<str>,
    },
    /// A certificate that cannot be used.
    #[error("unusable certificate in {origin}: {reason}")]
    BadCertificate {
        /// Where.
        origin: PemOrigin,
        /// Why.
        reason: Arc<str>,
    },
    /// A private key that cannot be used.
    #[error("unusable private key in {origin}: {reason}")]
    BadKey {
        /// Where.
        origin: PemOrigin,
        /// Why.
        reason: Arc<str>,
    },
    /// The private key is not the certificate's.
    #[error("the private key in {key} does not match the certificate in {certificate}")]
    KeyMismatch {
        /// Where the certificate is.
        certificate: PemOrigin,
        /// Where the key is.
        key: PemOrigin,
    },
    /// A server needs a certificate and its key.
    #[error("a TLS server needs a certificate and its key: identity_pem was not called")]
    NoIdentity,
    /// Client certificates are optional, but there is no authority to check them by.
    #[error("optional client certificates need an authority to check them by: client_ca_pem was not called")]
    NoClientCa,
    /// Not a name that a certificate can bear.
    #[error("{0:?} is neither a DNS name nor an IP address")]
    BadServerName(String),
    /// The system has no root certificates.
    #[error("no root certificates on this system: {0}")]
    NoSystemRoots(Arc<str>),
    /// A ready-made configuration whose ALPN list lacks `h2`.
    #[error("the TLS configuration offers {0:?} by ALPN, and gRPC needs h2")]
    AlpnWithoutH2(Vec<String>),
}
