//! Unix sockets, by path and, on Linux, by abstract name.

use thalweg_core::endpoint::Address;

use super::unreachable_by;
use crate::{
    error::ConnectError,
    rt::BoxFuture,
    transport::{Connected, Connector},
};

/// Connects to Unix sockets.
#[derive(Clone, Debug, Default)]
pub struct UnixConnector {}

impl UnixConnector {
    /// Connects to Unix sockets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Connector for UnixConnector {
    fn connect(&self, address: Address) -> BoxFuture<'_, Result<Connected, ConnectError>> {
        Box::pin(open(address))
    }
}

#[cfg(unix)]
async fn open(address: Address) -> Result<Connected, ConnectError> {
    use std::{ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf};

    let path = match &address {
        Address::Unix(path) => path.to_path_buf(),
        Address::UnixAbstract(name) if cfg!(any(target_os = "linux", target_os = "android")) => {
            // A path that begins with NUL is what the system calls an abstract name.
            PathBuf::from(OsString::from_vec([&[0], &**name].concat()))
        }
        Address::UnixAbstract(_) | Address::Tcp(_) | Address::Opaque(_) => {
            return Err(unreachable_by("Unix socket", &address));
        }
    };
    let stream = tokio::net::UnixStream::connect(path).await?;
    let peer = crate::io::PeerInfo { remote: Some(address), ..Default::default() };
    Ok(Connected { io: Box::new(stream), peer })
}

#[cfg(not(unix))]
async fn open(address: Address) -> Result<Connected, ConnectError> {
    Err(unreachable_by("Unix socket", &address))
}
