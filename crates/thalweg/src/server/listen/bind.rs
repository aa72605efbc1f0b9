//! From an address to a listener that listens, with errors that name the address.

use std::{io, net::SocketAddr, path::Path, sync::Arc, task::Poll, time::Duration};

use socket2::SockRef;
use thalweg_core::endpoint::Address;
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

use super::{Accept, Bound, Listener, SocketFile, Source};
use crate::{
    credentials::ServerCredentials,
    io::PeerInfo,
    server::error::ServerError,
    transport::{
        Connected,
        connector::{memory::MemoryListener, tcp::set_user_timeout},
    },
};

/// Listens. TCP connections are given up once sent bytes stay unacknowledged for `user_timeout` (A18).
pub(in crate::server) async fn bind(
    listener: Listener,
    credentials: &ServerCredentials,
    user_timeout: Option<Duration>,
) -> Result<Bound, ServerError> {
    let credentials = listener.credentials.unwrap_or_else(|| credentials.clone());
    let bound = |accept, local, file| Bound { accept, credentials, local, _file: file };
    Ok(match listener.source {
        Source::Address(address) => match parse(&address)? {
            Place::Tcp(host, port) => {
                let bind = TcpListener::bind((host, port)).await;
                let (accept, local) = tcp(bind.map_err(|e| ServerError::bind(&address, &e))?, user_timeout);
                bound(accept, local, None)
            }
            Place::Unix(place) => {
                let (accept, local, file) = unix_at(place).map_err(|e| ServerError::bind(&address, &e))?;
                bound(accept, local, file)
            }
        },
        Source::Tcp(listener) => {
            let (accept, local) = tcp(listener, user_timeout);
            bound(accept, local, None)
        }
        #[cfg(unix)]
        Source::Unix(listener) => {
            let (accept, local) = unix(listener);
            bound(accept, local, None)
        }
        Source::Memory(listener) => {
            let (accept, local) = memory(listener);
            bound(accept, local, None)
        }
        Source::Stream(accept) => bound(accept, None, None),
    })
}

/// Where an address says to listen.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Place<'a> {
    /// A host or IP address, and a port.
    Tcp(&'a str, u16),
    /// A Unix socket.
    Unix(Address),
}

/// Reads an address to listen on.
pub(super) fn parse(address: &str) -> Result<Place<'_>, ServerError> {
    let wrong = |reason: &str| ServerError::Address { address: address.to_owned(), reason: reason.into() };
    if let Some(name) = address.strip_prefix("unix-abstract:") {
        return Ok(Place::Unix(Address::UnixAbstract(name.as_bytes().into())));
    }
    if let Some(path) = address.strip_prefix("unix:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = if path.is_empty() { Err(wrong("the path is empty")) } else { Ok(Path::new(path)) };
        return Ok(Place::Unix(Address::Unix(path?.into())));
    }
    let (host, port) = address.rsplit_once(':').ok_or_else(|| wrong("it has no port"))?;
    let port = port.parse().map_err(|_| wrong("the port is not a number from 0 to 65535"))?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare {
        None if host.contains(':') => Err(wrong("an IPv6 address stands in brackets: [::1]:50051")),
        None if host.is_empty() => Err(wrong("it has no host; [::] and 0.0.0.0 are all of this machine's addresses")),
        bare => Ok(Place::Tcp(bare.unwrap_or(host), port)),
    }
}

fn tcp(listener: TcpListener, user_timeout: Option<Duration>) -> (Accept, Option<Address>) {
    let local = listener.local_addr().ok().map(Address::Tcp);
    let accept: Accept = Box::new(move |cx| {
        let Poll::Ready(accepted) = listener.poll_accept(cx) else { return Poll::Pending };
        let connected = accepted.and_then(|(stream, remote)| tcp_connected(stream, remote, user_timeout));
        Poll::Ready(Some(connected))
    });
    (accept, local)
}

fn tcp_connected(stream: TcpStream, remote: SocketAddr, user_timeout: Option<Duration>) -> io::Result<Connected> {
    stream.set_nodelay(true)?;
    if let Some(timeout) = user_timeout {
        set_user_timeout(&SockRef::from(&stream), timeout)?;
    }
    let local = stream.local_addr().ok().map(Address::Tcp);
    let peer = PeerInfo { local, remote: Some(Address::Tcp(remote)), ..PeerInfo::default() };
    Ok(Connected { io: Box::new(stream), peer })
}

#[cfg(unix)]
fn unix(listener: UnixListener) -> (Accept, Option<Address>) {
    let local = listener.local_addr().ok().and_then(|address| unix_address(&address));
    let ours = local.clone();
    let accept: Accept = Box::new(move |cx| {
        listener.poll_accept(cx).map(|accepted| Some(accepted.map(|(stream, _)| unix_connected(stream, ours.clone()))))
    });
    (accept, local)
}

#[cfg(unix)]
fn unix_connected(stream: UnixStream, local: Option<Address>) -> Connected {
    let remote = stream.peer_addr().ok().and_then(|address| unix_address(&address));
    Connected { io: Box::new(stream), peer: PeerInfo { local, remote, ..PeerInfo::default() } }
}

#[cfg(unix)]
fn unix_address(address: &tokio::net::unix::SocketAddr) -> Option<Address> {
    let path = address.as_pathname().map(|path| Address::Unix(path.into()));
    path.or_else(|| address.as_abstract_name().map(|name| Address::UnixAbstract(name.into())))
}

#[cfg(unix)]
fn unix_at(place: Address) -> io::Result<(Accept, Option<Address>, Option<SocketFile>)> {
    use std::os::unix::net::{SocketAddr, UnixListener as StdListener};

    let (address, file) = match &place {
        Address::UnixAbstract(name) => (abstract_address(name)?, None),
        Address::Unix(path) => (SocketAddr::from_pathname(path)?, Some(Arc::clone(path))),
        Address::Tcp(_) | Address::Opaque(_) => return Err(io::ErrorKind::Unsupported.into()),
    };
    let listener = StdListener::bind_addr(&address)?;
    let file = file.map(SocketFile);
    listener.set_nonblocking(true)?;
    let (accept, _) = unix(UnixListener::from_std(listener)?);
    Ok((accept, Some(place), file))
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<std::os::unix::net::SocketAddr> {
    use std::os::linux::net::SocketAddrExt;

    std::os::unix::net::SocketAddr::from_abstract_name(name)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn abstract_address(_: &[u8]) -> io::Result<std::os::unix::net::SocketAddr> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "abstract sockets need Linux"))
}

#[cfg(not(unix))]
fn unix_at(_: Address) -> io::Result<(Accept, Option<Address>, Option<SocketFile>)> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "Unix sockets need a Unix"))
}

fn memory(mut listener: MemoryListener) -> (Accept, Option<Address>) {
    let local = listener.address();
    (Box::new(move |cx| listener.poll_accept(cx).map(|connected| Some(Ok(connected)))), Some(local))
}
