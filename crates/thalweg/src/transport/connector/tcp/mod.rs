//! TCP: without Nagle's delay, probed by the system, and with `TCP_USER_TIMEOUT` where there is one (A18).

#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, time::Duration};

use socket2::SockRef;
use thalweg_core::{endpoint::Address, target::host_and_port};
use tokio::net::{TcpSocket, TcpStream, lookup_host};

use super::unreachable_by;
use crate::{
    error::{ConnectError, connect::describe_io},
    io::PeerInfo,
    rt::BoxFuture,
    transport::{Connected, Connector},
};

/// Connects to IP addresses, and to names (`host:port`) that the system resolves at that moment, trying each of their
/// addresses in turn.
#[derive(Clone, Debug, Default)]
pub struct TcpConnector {
    user_timeout: Option<Duration>,
}

impl TcpConnector {
    /// Connects with the system's timeouts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a connection up when what was sent is not acknowledged in this time (to the millisecond), on systems that
    /// have `TCP_USER_TIMEOUT`: the keepalive timeout, when keepalive is on (A18).
    #[must_use]
    pub fn user_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.user_timeout = timeout;
        self
    }

    async fn reach(&self, address: &Address) -> Result<Connected, ConnectError> {
        let stream = match address {
            Address::Tcp(address) => self.open(*address).await?,
            Address::Opaque(name) => self.open_name(name).await?,
            Address::Unix(_) | Address::UnixAbstract(_) => return Err(unreachable_by("TCP", address)),
        };
        let peer = PeerInfo {
            local: stream.local_addr().ok().map(Address::Tcp),
            remote: stream.peer_addr().ok().map(Address::Tcp),
            tls: None,
        };
        Ok(Connected { io: Box::new(stream), peer })
    }

    async fn open(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_nodelay(true)?;
        socket.set_keepalive(true)?;
        if let Some(timeout) = self.user_timeout {
            set_user_timeout(&SockRef::from(&socket), timeout)?;
        }
        socket.connect(address).await
    }

    /// Tries the addresses of `host:port` until one answers.
    async fn open_name(&self, name: &str) -> Result<TcpStream, ConnectError> {
        let mut failures: Vec<(SocketAddr, io::Error)> = Vec::new();
        for address in resolve(name).await? {
            match self.open(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failures.push((address, error)),
            }
        }
        Err(none_answered(name, &failures))
    }
}

impl Connector for TcpConnector {
    fn connect(&self, address: Address) -> BoxFuture<'_, Result<Connected, ConnectError>> {
        Box::pin(async move { self.reach(&address).await })
    }
}

/// Sets `TCP_USER_TIMEOUT` where there is one, as near to `timeout` as its milliseconds come.
pub(crate) fn set_user_timeout(socket: &SockRef<'_>, timeout: Duration) -> io::Result<()> {
    // Zero would be the system's default, and more is an error.
    let timeout = timeout.clamp(Duration::from_millis(1), Duration::from_millis(i32::MAX as u64));
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    socket.set_tcp_user_timeout(Some(timeout))?;
    #[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
    let _ = (socket, timeout);
    Ok(())
}

/// What the system says the addresses of `host:port` are.
async fn resolve(name: &str) -> Result<Vec<SocketAddr>, ConnectError> {
    let wrong = |reason: String| ConnectError::Address(reason.into());
    let (host, port) = match host_and_port(name, 0) {
        Ok((_, 0)) => return Err(wrong(format!("{name:?} has no port"))),
        Ok(parts) => parts,
        Err(error) => return Err(wrong(error.to_string())),
    };
    let found = lookup_host((host, port)).await.map_err(|error| {
        let text = describe_io(&error);
        let reason = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
        wrong(format!("cannot resolve {host:?}: {}", reason.to_lowercase()))
    })?;
    Ok(found.collect())
}

/// The error of a name none of whose addresses answered: each address with what it answered.
fn none_answered(name: &str, failures: &[(SocketAddr, io::Error)]) -> ConnectError {
    let last = match failures {
        [] => return ConnectError::Address(format!("{name:?} has no addresses").into()),
        [(_, only)] => return ConnectError::Io { kind: only.kind(), text: describe_io(only).into() },
        [.., (_, last)] => last,
    };
    let kind = last.kind();
    let each = failures.iter().map(|(address, error)| format!("{address} {}", describe_io(error)));
    ConnectError::Io { kind, text: each.collect::<Vec<_>>().join(", ").into() }
}
