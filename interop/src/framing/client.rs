//! The client's side: requests go out by the plan, responses are noted as they come in.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use tonic::{body::Body, codegen::StdError};
use tower_service::Service;

use super::{plain::Planned, watch::Watched, wire::Wire};

/// Sits between a stub and its channel, and keeps the [`Wire`] that a request carries in its extensions.
#[derive(Clone, Debug)]
pub struct ClientFraming<S>(pub S);

impl<S, B> Service<http::Request<Body>> for ClientFraming<S>
where
    S: Service<http::Request<Body>, Response = http::Response<B>>,
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

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let wire = request.extensions().get::<Wire>().cloned().unwrap_or_default();
        wire.sent.note_headers(request.headers());
        let request = request.map(|body| Watched::body(Planned::body(body, wire.plan.clone()), wire.sent.clone()));
        let response = self.0.call(request);
        Box::pin(async move {
            let response = response.await?;
            wire.received.note_headers(response.headers());
            Ok(response.map(|body| Watched::body(Body::new(body), wire.received)))
        })
    }
}
