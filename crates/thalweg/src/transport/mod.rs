//! The transport boundary: how bytes are reached, and how calls become HTTP/2.
//!
//! `client` and `server` are the whole of what the layers above know of HTTP/2: open a call and send and receive on
//! it, wait for room, hear of GOAWAY and of the end; accept calls, drain, cut, ping. They are concrete types, so nothing
//! is boxed or dispatched per call, and another implementation behind the same names takes their place. Above this
//! module nothing names HTTP/2's crate.

mod wire;

pub mod connector;

pub(crate) mod batch;
pub mod counters;
pub(crate) mod crowd;
pub mod keepalive;
pub(crate) mod messages;
pub(crate) mod metadata;
pub mod options;

use std::fmt::Debug;

use thalweg_core::endpoint::Address;

pub(crate) use self::wire::{client, ledger, server};
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
