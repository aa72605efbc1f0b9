//! The server's side: requests are noted as they come in, responses go out by the plan.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use tonic::{body::Body, codegen::StdError, server::NamedService};
use tower_service::Service;

use super::{plain::Planned, watch::Watched, wire::Wire};

/// Sits between a server and a service it mounts, and puts a [`Wire`] into the extensions of each request.
#[derive(Clone, Debug)]
pub struct ServerFraming<S>(pub S);

impl<S: NamedService> NamedService for ServerFraming<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B> Service<http::Request<B>> for ServerFraming<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<StdError>,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let wire = Wire::default();
        wire.received.note_headers(request.headers());
        let mut request = request.map(|body| Watched::body(Body::new(body), wire.received.clone()));
        request.extensions_mut().insert(wire.clone());
        let response = self.0.call(request);
        Box::pin(async move {
            let response = response.await?;
            wire.sent.note_headers(response.headers());
            Ok(response.map(|body| Watched::body(Planned::body(body, wire.plan), wire.sent)))
        })
    }
}
