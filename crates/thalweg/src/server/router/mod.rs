//! From a request's path to the service that answers it, with gRPC's own answers for what nobody does
//! (doc/PROTOCOL-HTTP2).

mod refusal;
mod route;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, HeaderValue, Request, Response, uri::PathAndQuery};
use tonic::{Code, Status, body::Body};
use tower_service::Service;

pub(super) use refusal::malformed_timeout;
pub use route::{BoxAnswer, Mountable};

/// What is mounted where.
#[derive(Default)]
pub(super) struct Table {
    services: HashMap<String, Box<dyn Mountable>>,
    fallback: Option<Box<dyn Mountable>>,
}

impl Table {
    /// Mounts a service under its full name; false if that name is taken.
    pub(super) fn mount(&mut self, name: String, service: impl Mountable) -> bool {
        self.services.insert(name, Box::new(service)).is_none()
    }

    /// Answers what no mounted service does.
    pub(super) fn set_fallback(&mut self, service: impl Mountable) {
        self.fallback = Some(Box::new(service));
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("services", &self.services.keys())
            .field("fallback", &self.fallback.is_some())
            .finish()
    }
}

/// All services of a server as one. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Router(Arc<Table>);

impl Router {
    pub(super) fn new(table: Table) -> Self {
        Self(Arc::new(table))
    }

    /// Hands the request to its service.
    pub(super) fn answer(&self, request: Request<Body>) -> Answer {
        let path = request.uri().path();
        let service = split(path).and_then(|(service, _)| self.0.services.get(service));
        let Some(route) = service else {
            return match &self.0.fallback {
                Some(fallback) => Answer::Called(fallback.answer(request), None),
                None => Answer::Ready(refusal::of(&request).unwrap_or_else(|| refusal::not_mounted(path))),
            };
        };
        if let Some(refusal) = refusal::of(&request) {
            return Answer::Ready(refusal);
        }
        let path = request.uri().path_and_query().cloned();
        Answer::Called(route.answer(request), path)
    }
}

impl Service<Request<Body>> for Router {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        self.answer(request)
    }
}

/// The services of a server as a [layer](crate::server::ServerBuilder::layer) sees them: a request in, a response out,
/// never an error. Cheap to clone.
#[derive(Clone)]
pub struct Routes(Arc<dyn Mountable>);

impl Routes {
    pub(super) fn new(service: impl Mountable) -> Self {
        Self(Arc::new(service))
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").finish_non_exhaustive()
    }
}

impl Service<Request<Body>> for Routes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxAnswer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> BoxAnswer {
        self.0.answer(request)
    }
}

/// Where every request enters.
#[derive(Debug)]
pub(super) enum Entry {
    /// The router itself.
    Router(Router),
    /// The outermost layer, with the router within.
    Layers(Routes),
}

impl Entry {
    pub(super) fn answer(&self, request: Request<Body>) -> Answer {
        match self {
            Self::Router(router) => router.answer(request),
            Self::Layers(routes) => Answer::Called(routes.0.answer(request), None),
        }
    }
}

/// A response to come.
pub(super) enum Answer {
    /// We know it already.
    Ready(Response<Body>),
    /// A service has been called, at this path if the service is mounted there.
    Called(BoxAnswer, Option<PathAndQuery>),
    /// The response was handed out.
    Taken,
}

impl Future for Answer {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Self::Called(answer, path) = &mut *self {
            let Ok(mut response) = ready!(answer.as_mut().poll(cx));
            if let Some(path) = path {
                name_unknown_method(path, &mut response);
            }
            return Poll::Ready(Ok(response));
        }
        match mem::replace(&mut *self, Self::Taken) {
            Self::Ready(response) => Poll::Ready(Ok(response)),
            Self::Called(..) | Self::Taken => Poll::Pending,
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready(_) => "Ready",
            Self::Called(..) => "Called",
            Self::Taken => "Taken",
        })
    }
}

/// Service and method of a path `/package.Service/Method`.
fn split(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix('/')?.rsplit_once('/')
}

/// The services that tonic generates answer UNIMPLEMENTED, without a word, for a method they do not have. A handler that
/// answers UNIMPLEMENTED is known by the [`Status`] in its response's extensions.
fn name_unknown_method(path: &PathAndQuery, response: &mut Response<Body>) {
    let silent = |headers: &HeaderMap| {
        headers.get(Status::GRPC_STATUS).is_some_and(|code| code == "12") && !headers.contains_key(Status::GRPC_MESSAGE)
    };
    if !silent(response.headers()) || response.extensions().get::<Status>().is_some() {
        return;
    }
    let Some((service, method)) = split(path.path()) else { return };
    let status = Status::new(Code::Unimplemented, format!("unknown method {method} for service {service}"));
    // Fails only on bytes that no header can hold, which percent-encoding leaves none of.
    let _ = status.add_header(response.headers_mut());
    response.headers_mut().entry(http::header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/grpc"));
}
