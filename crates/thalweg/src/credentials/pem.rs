//! PEM from memory or from a file.

use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
};

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{Error, PemObject},
};

use super::error::{CredentialsError, PemOrigin};
use crate::error::connect::describe_io;

/// PEM: from memory (`&[u8]`, `Vec<u8>`, or the text itself in a `&str` or `String`) or from a file (`&Path`,
/// `PathBuf`), which is read when the credentials are built.
#[derive(Clone)]
pub struct Pem(Source);

#[derive(Clone)]
enum Source {
    Memory(Vec<u8>),
    File(PathBuf),
}

impl Pem {
    /// The PEM file at `path`.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// Where this comes from.
    pub(super) fn origin(&self) -> PemOrigin {
        match &self.0 {
            Source::Memory(_) => PemOrigin::Memory,
            Source::File(path) => PemOrigin::File(path.clone()),
        }
    }

    /// All certificates in it, at least one.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, CredentialsError> {
        let bytes = self.bytes()?;
        let all: Vec<_> =
            CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(|error| self.malformed(&error))?;
        if all.is_empty() { Err(CredentialsError::NoCertificate(self.origin())) } else { Ok(all) }
    }

    /// The first private key in it.
    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, CredentialsError> {
        PrivateKeyDer::from_pem_slice(&self.bytes()?).map_err(|error| match error {
            Error::NoItemsFound => CredentialsError::NoKey(self.origin()),
            other => self.malformed(&other),
        })
    }

    fn bytes(&self) -> Result<Cow<'_, [u8]>, CredentialsError> {
        match &self.0 {
            Source::Memory(bytes) => Ok(Cow::Borrowed(bytes)),
            Source::File(path) => fs::read(path).map(Cow::Owned).map_err(|error| CredentialsError::Read {
                path: path.clone(),
                kind: error.kind(),
                text: describe_io(&error).into(),
            }),
        }
    }

    fn malformed(&self, error: &Error) -> CredentialsError {
        CredentialsError::MalformedPem { origin: self.origin(), reason: error.to_string().into() }
    }
}

impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pem({})", self.origin())
    }
}

impl From<Vec<u8>> for Pem {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Source::Memory(bytes))
    }
}

impl From<&[u8]> for Pem {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl<const N: usize> From<&[u8; N]> for Pem {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<&str> for Pem {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<String> for Pem {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<PathBuf> for Pem {
    fn from(path: PathBuf) -> Self {
        Self::file(path)
    }
}

impl From<&Path> for Pem {
    fn from(path: &Path) -> Self {
        Self::file(path)
    }
}
