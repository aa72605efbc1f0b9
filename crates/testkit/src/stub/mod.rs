//! A server whose methods are closures over bytes: no service definition, no generated code.
//!
//! ```
//! use bytes::Bytes;
//! use thalweg_testkit::{network::Network, stub::Stub};
//! use tonic::{Request, Response};
//!
//! # async fn start(network: &Network) {
//! let server = Stub::new()
//!     .unary("/pkg.Greeter/SayHello", |request: Request<Bytes>| async move { Ok(Response::new(request.into_inner())) })
//!     .serve(network.listen("10.0.0.1:50051"))
//!     .await;
//! # assert_eq!(server.calls(), 0);
//! # }
//! ```

#[cfg(test)]
mod tests;

mod raw;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use http::{Request as HttpRequest, Response as HttpResponse};
use thalweg::server::{Listener, Server, ServerBuilder, ServerHandle};
use tokio::task::JoinHandle;
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    server::{Grpc, StreamingService, UnaryService},
};
use tower_service::Service;

pub use raw::RawCodec;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Method = Box<dyn Fn(HttpRequest<Body>) -> BoxFuture<HttpResponse<Body>> + Send + Sync>;

/// Methods by path. A tower service, for those who run the server themselves.
#[derive(Clone, Default)]
pub struct Stub {
    methods: Arc<BTreeMap<String, Method>>,
    calls: Arc<AtomicUsize>,
}

impl Stub {
    /// A stub without methods: all calls end with UNIMPLEMENTED.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers calls of `path` (`/package.Service/Method`) with what `handler` makes of the one request message.
    #[must_use]
    pub fn unary<F, Fut>(self, path: &str, handler: F) -> Self
    where
        F: Fn(Request<Bytes>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Response<Bytes>, Status>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        self.method(path, move |request| {
            let handler = Handler(Arc::clone(&handler));
            Box::pin(async move { Grpc::new(RawCodec).unary(handler, request).await })
        })
    }

    /// Answers calls of `path` with the stream that `handler` makes of the request stream.
    #[must_use]
    pub fn streaming<F, Fut, S>(self, path: &str, handler: F) -> Self
    where
        F: Fn(Request<Streaming<Bytes>>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Response<S>, Status>> + Send + 'static,
        S: Stream<Item = Result<Bytes, Status>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        self.method(path, move |request| {
            let handler = Handler(Arc::clone(&handler));
            Box::pin(async move { Grpc::new(RawCodec).streaming(handler, request).await })
        })
    }

    /// Serves on `listener`, until what this returns is dropped.
    ///
    /// # Panics
    ///
    /// If the listener cannot listen.
    pub async fn serve(self, listener: impl Into<Listener>) -> StubServer {
        self.serve_by(Server::builder().listen(listener)).await
    }

    /// The same, with a builder that has its listeners and options already.
    ///
    /// # Panics
    ///
    /// If a listener cannot listen.
    pub async fn serve_by(self, builder: ServerBuilder) -> StubServer {
        let calls = Arc::clone(&self.calls);
        let server = match builder.fallback(self).bind().await {
            Ok(server) => server,
            Err(error) => panic!("the stub cannot serve: {error}"),
        };
        StubServer { handle: server.handle(), task: tokio::spawn(server.run()), calls }
    }

    fn method(
        mut self,
        path: &str,
        method: impl Fn(HttpRequest<Body>) -> BoxFuture<HttpResponse<Body>> + Send + Sync + 'static,
    ) -> Self {
        Arc::get_mut(&mut self.methods)
            .expect("a stub gets its methods before it is cloned")
            .insert(path.to_owned(), Box::new(method));
        self
    }
}

impl Service<HttpRequest<Body>> for Stub {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let answer = self.methods.get(request.uri().path()).map(|method| method(request));
        Box::pin(async move {
            Ok(match answer {
                Some(answer) => answer.await,
                None => Status::unimplemented("the stub has no such method").into_http(),
            })
        })
    }
}

impl fmt::Debug for Stub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stub").field("methods", &self.methods.keys()).finish_non_exhaustive()
    }
}

/// A stub that serves. Dropping it stops it at once.
#[derive(Debug)]
pub struct StubServer {
    handle: ServerHandle,
    task: JoinHandle<()>,
    calls: Arc<AtomicUsize>,
}

impl StubServer {
    /// Stops the server, gracefully or at once.
    #[must_use]
    pub fn handle(&self) -> &ServerHandle {
        &self.handle
    }

    /// How many calls have reached it.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Drop for StubServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A closure as what tonic calls.
struct Handler<F>(Arc<F>);

impl<F, Fut> UnaryService<Bytes> for Handler<F>
where
    F: Fn(Request<Bytes>) -> Fut,
    Fut: Future<Output = Result<Response<Bytes>, Status>>,
{
    type Response = Bytes;
    type Future = Fut;

    fn call(&mut self, request: Request<Bytes>) -> Fut {
        (self.0)(request)
    }
}

impl<F, Fut, S> StreamingService<Bytes> for Handler<F>
where
    F: Fn(Request<Streaming<Bytes>>) -> Fut,
    Fut: Future<Output = Result<Response<S>, Status>>,
    S: Stream<Item = Result<Bytes, Status>>,
{
    type Response = Bytes;
    type ResponseStream = S;
    type Future = Fut;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Fut {
        (self.0)(request)
    }
}
