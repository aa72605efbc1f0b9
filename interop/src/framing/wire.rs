//! The record of one call: which messages were compressed, and which are to be.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::HeaderMap;

/// One call as it is on the wire. A client puts one into the extensions of its request; a handler finds one there.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    /// Which of the messages we send stay compressed.
    pub plan: Plan,
    /// The messages we sent.
    pub sent: Flow,
    /// The messages the peer sent.
    pub received: Flow,
}

/// The compressed flags we want, one for each message in order. Messages beyond its end stay as the codec made them.
#[derive(Clone, Debug, Default)]
pub struct Plan(Arc<Mutex<VecDeque<bool>>>);

impl Plan {
    /// Says whether the next message without a plan is to be compressed.
    pub fn push(&self, compressed: bool) {
        lock(&self.0).push_back(compressed);
    }

    /// Takes what is planned for the next message.
    pub fn take(&self) -> Option<bool> {
        lock(&self.0).pop_front()
    }
}

/// What passed in one direction of a call.
#[derive(Clone, Debug, Default)]
pub struct Flow(Arc<Mutex<Passed>>);

#[derive(Debug, Default)]
struct Passed {
    flags: VecDeque<bool>,
    headers: HeaderMap,
    trailers: HeaderMap,
}

impl Flow {
    /// Takes the compressed flag of the oldest message not yet taken; `None` if no more have passed.
    pub fn take_flag(&self) -> Option<bool> {
        lock(&self.0).flags.pop_front()
    }

    /// The headers that came before the messages.
    pub fn headers(&self) -> HeaderMap {
        lock(&self.0).headers.clone()
    }

    /// The trailers that came behind the messages; empty until they have passed.
    pub fn trailers(&self) -> HeaderMap {
        lock(&self.0).trailers.clone()
    }

    pub(super) fn note_flag(&self, compressed: bool) {
        lock(&self.0).flags.push_back(compressed);
    }

    pub(super) fn note_headers(&self, headers: &HeaderMap) {
        lock(&self.0).headers = headers.clone();
    }

    pub(super) fn note_trailers(&self, trailers: &HeaderMap) {
        lock(&self.0).trailers = trailers.clone();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
