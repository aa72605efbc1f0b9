//! What a handler can ask of its call, and add to it: who calls, until when, and trailing metadata.
//!
//! ```
//! use thalweg::context::ServerRequestExt;
//! use tonic::{Request, Response, Status};
//!
//! async fn say_hello(request: Request<String>) -> Result<Response<String>, Status> {
//!     let trailers = request.trailers();
//!     trailers.insert("x-cost", "12".parse().map_err(|_| Status::internal("a cost is ASCII"))?);
//!     Ok(Response::new(format!("hello {}", request.into_inner())))
//! }
//! ```

mod connection;
#[cfg(test)]
mod tests;

use std::{
    fmt, future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
    time::Instant,
};

use http::{HeaderMap, uri::PathAndQuery};
use tonic::metadata::{AsciiMetadataKey, BinaryMetadataKey, BinaryMetadataValue, MetadataMap, MetadataValue};

pub(crate) use self::connection::Connection;
use crate::{io::PeerInfo, rt::BoxFuture};

/// The server's side of one call, in the extensions of its request. Cheap to clone, and may outlive the call.
#[derive(Clone)]
pub struct ServerCall(Arc<Facts>);

struct Facts {
    connection: Arc<Connection>,
    path: PathAndQuery,
    deadline: Option<Instant>,
    trailers: Mutex<MetadataMap>,
    over: AtomicBool,
    /// Whoever reads the request when the call ends.
    reader: Mutex<Option<Waker>>,
}

impl ServerCall {
    pub(crate) fn new(connection: Arc<Connection>, path: PathAndQuery, deadline: Option<Instant>) -> Self {
        let (trailers, over, reader) = Default::default();
        Self(Arc::new(Facts { connection, path, deadline, trailers, over, reader }))
    }

    /// The request path: `/package.Service/Method`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.0.path.path()
    }

    /// Both ends of the connection, and the client's certificates.
    #[must_use]
    pub fn peer(&self) -> &PeerInfo {
        self.0.connection.peer()
    }

    /// Returns when the client has been told GOAWAY, because the server stops or the connection has reached its age. The
    /// connection ends with its last call: one that goes on for ever (a subscription) should come to its end now, and its
    /// client will make it again on another connection.
    pub async fn going_away(&self) {
        self.0.connection.goodbye().await;
    }

    /// When the call ends with DEADLINE_EXCEEDED, if the client set a deadline.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline
    }

    /// A handle on the metadata that is sent when the call ends, whatever its status.
    #[must_use]
    pub fn trailers(&self) -> TrailingMetadata {
        TrailingMetadata(self.clone())
    }

    /// Adds the trailing metadata to the headers that end the call.
    pub(crate) fn write_trailers(&self, headers: &mut HeaderMap) {
        let trailers = std::mem::take(&mut *lock(&self.0.trailers));
        let mut last = None;
        for (name, value) in trailers.into_headers() {
            last = name.or(last);
            if let Some(name) = last.as_ref().filter(|name| !is_reserved(name.as_str())) {
                headers.append(name, value);
            }
        }
    }

    /// The call has ended: whoever still reads its request hears of it.
    pub(crate) fn end(&self) {
        self.0.over.store(true, Ordering::Release);
        if let Some(reader) = lock(&self.0.reader).take() {
            reader.wake();
        }
    }

    /// Has the call ended? If not, `waker` is woken when it does.
    pub(crate) fn is_over(&self, waker: &Waker) -> bool {
        if self.0.over.load(Ordering::Acquire) {
            return true;
        }
        let mut reader = lock(&self.0.reader);
        if !reader.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *reader = Some(waker.clone());
        }
        // It may have ended since the first look, before there was anybody to wake.
        self.0.over.load(Ordering::Acquire)
    }
}

impl fmt::Debug for ServerCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCall")
            .field("method", &self.method())
            .field("peer", self.peer())
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}

/// What only gRPC itself may send when a call ends (doc/PROTOCOL-HTTP2).
fn is_reserved(name: &str) -> bool {
    const RESERVED: [&str; 6] =
        ["te", "content-type", "grpc-status", "grpc-message", "grpc-message-type", "grpc-status-details-bin"];
    RESERVED.contains(&name)
}

/// Metadata that a handler adds to the end of its call, on success too. Cheap to clone; a response stream can keep one
/// and add to it as late as its last message.
///
/// Keys that gRPC reserves for itself (`grpc-status` and the like) are left out when the metadata is sent, and what is
/// added after the call has ended is lost.
#[derive(Clone, Debug)]
pub struct TrailingMetadata(ServerCall);

impl TrailingMetadata {
    /// Sets `key`, in the place of all its values so far.
    ///
    /// # Panics
    ///
    /// If `key` is not lower-case ASCII, or ends in `-bin`.
    pub fn insert(&self, key: &'static str, value: MetadataValue<tonic::metadata::Ascii>) {
        self.edit(|map| map.insert(AsciiMetadataKey::from_static(key), value));
    }

    /// Adds a value to those that `key` has.
    ///
    /// # Panics
    ///
    /// If `key` is not lower-case ASCII, or ends in `-bin`.
    pub fn append(&self, key: &'static str, value: MetadataValue<tonic::metadata::Ascii>) {
        self.edit(|map| map.append(AsciiMetadataKey::from_static(key), value));
    }

    /// Sets the binary `key`, in the place of all its values so far.
    ///
    /// # Panics
    ///
    /// If `key` is not lower-case ASCII that ends in `-bin`.
    pub fn insert_bin(&self, key: &'static str, value: BinaryMetadataValue) {
        self.edit(|map| map.insert_bin(BinaryMetadataKey::from_static(key), value));
    }

    /// Adds a value to those that the binary `key` has.
    ///
    /// # Panics
    ///
    /// If `key` is not lower-case ASCII that ends in `-bin`.
    pub fn append_bin(&self, key: &'static str, value: BinaryMetadataValue) {
        self.edit(|map| map.append_bin(BinaryMetadataKey::from_static(key), value));
    }

    /// Changes the metadata in any way that its map allows; keys known only at run time go in here.
    pub fn edit<R>(&self, change: impl FnOnce(&mut MetadataMap) -> R) -> R {
        change(&mut lock(&self.0.0.trailers))
    }
}

/// The call behind a request, for handlers that thalweg's server calls.
pub trait ServerRequestExt {
    /// The call; `None` if the request did not come through thalweg's server (a handler called by its unit test).
    fn call(&self) -> Option<&ServerCall>;

    /// Both ends of the connection, and the client's certificates.
    fn peer(&self) -> Option<&PeerInfo> {
        self.call().map(ServerCall::peer)
    }

    /// When the call ends with DEADLINE_EXCEEDED, if the client set a deadline.
    fn deadline(&self) -> Option<Instant> {
        self.call().and_then(ServerCall::deadline)
    }

    /// A handle on the metadata that is sent when the call ends, whatever its status. What is added to it goes nowhere
    /// if the request did not come through thalweg's server.
    fn trailers(&self) -> TrailingMetadata {
        let nowhere = || ServerCall::new(Arc::default(), PathAndQuery::from_static("/"), None);
        self.call().cloned().unwrap_or_else(nowhere).trailers()
    }

    /// Returns when the client has been told GOAWAY, as [`ServerCall::going_away`] does; never, if the request did not come
    /// through thalweg's server.
    fn going_away(&self) -> BoxFuture<'static, ()> {
        let call = self.call().cloned();
        Box::pin(async move {
            match call {
                Some(call) => call.going_away().await,
                None => future::pending().await,
            }
        })
    }
}

impl<T> ServerRequestExt for tonic::Request<T> {
    fn call(&self) -> Option<&ServerCall> {
        self.extensions().get()
    }
}

/// A panic in a closure that edited the metadata leaves a map that is still a map.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
