//! What a connection knows of the calls that wait for a stream: how many there are, and whom to tell of room.

use std::{
    fmt::Debug,
    sync::{
        Weak,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

/// Has calls take the streams that there are, in their order.
pub(crate) trait Usher: Send + Sync + Debug {
    /// One of the connections may have room for another stream. Called without any lock of the connection's.
    fn on_room(&self);
}

/// Calls that wait for a stream on any of several connections. While there are any, no other call may open one.
#[derive(Debug)]
pub(crate) struct Crowd {
    size: AtomicUsize,
    usher: Weak<dyn Usher>,
}

impl Crowd {
    /// A crowd of nobody.
    pub(crate) fn new(usher: Weak<dyn Usher>) -> Self {
        Self { size: AtomicUsize::new(0), usher }
    }

    /// So many wait from now on. Said before room is looked for: whoever makes room afterwards sees it.
    pub(crate) fn set(&self, size: usize) {
        if self.size.load(SeqCst) != size {
            self.size.store(size, SeqCst);
        }
    }

    /// Does nobody wait?
    pub(crate) fn is_empty(&self) -> bool {
        self.size.load(SeqCst) == 0
    }

    /// There may be room.
    pub(crate) fn call_up(&self) {
        if let Some(usher) = self.usher.upgrade() {
            usher.on_room();
        }
    }
}
