//! The transport boundary: how bytes are reached, and how calls become HTTP/2. Above it nothing names an HTTP/2 library.

pub(crate) mod h2;

pub mod connector;

pub(crate) mod activity;
pub mod keepalive;
pub(crate) mod messages;
pub mod options;

use std::fmt::Debug;

use thalweg_core::endpoint::Address;

use crate::{
    error::ConnectError,
    io::{BoxIo, Io, PeerInfo},
    rt::BoxFuture,
};

/// Makes byte streams to addresses: TCP and Unix sockets in the box, anything else by users.
pub trait Connector: Send + Sync + Debug + 'static {
    /// Connects to `address`. Dropping the future gives the attempt up; the channel bounds its time.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], whose text follows the address in a call's error.
    fn connect(&self, address: Address) -> BoxFuture<'_, Result<Connected, ConnectError>>;
}

/// A byte stream that a connector made.
pub struct Connected {
    /// The stream.
    pub io: BoxIo,
    /// Its ends.
    pub peer: PeerInfo,
}

/// A byte stream of whose ends nothing is known.
impl<T: Io> From<T> for Connected {
    fn from(io: T) -> Self {
        Self { io: Box::new(io), peer: PeerInfo::default() }
    }
}

impl Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connected").field("peer", &self.peer).finish_non_exhaustive()
    }
}
