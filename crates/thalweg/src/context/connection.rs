//! A connection as its calls know it: who is at its ends, and whether it is going away.

use std::{
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
};

use tokio::sync::Notify;

use crate::io::PeerInfo;

/// What the calls of one connection share.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    peer: PeerInfo,
    goodbye: AtomicBool,
    said: Notify,
}

impl Connection {
    pub(crate) fn new(peer: PeerInfo) -> Self {
        Self { peer, ..Self::default() }
    }

    pub(crate) fn peer(&self) -> &PeerInfo {
        &self.peer
    }

    /// The client has been told GOAWAY; saying it again changes nothing.
    pub(crate) fn say_goodbye(&self) {
        if !self.goodbye.swap(true, Ordering::AcqRel) {
            self.said.notify_waiters();
        }
    }

    /// Waits until the client has been told GOAWAY.
    pub(super) async fn goodbye(&self) {
        // Whatever is said from here on is heard.
        let said = pin!(self.said.notified());
        if !self.goodbye.load(Ordering::Acquire) {
            said.await;
        }
    }
}
