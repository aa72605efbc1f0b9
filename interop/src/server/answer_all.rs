//! An answer with a body to any request, gRPC's or not: what checks HTTP/2 has to see DATA.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use thalweg_proto::interop::SimpleResponse;
use tonic::{Status, body::Body};
use tower_service::Service;

use crate::{framing, payload};

/// The payload of the answer in bytes; h2spec makes windows of one to five bytes and looks at what fits.
const SIZE: usize = 64;

/// Answers every request with one gRPC message and an OK status, once the request has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnswerAll;

impl Service<Request<Body>> for AnswerAll {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async {
            // A request that breaks off has nobody left to answer; what is said then is not sent.
            let _ = request.into_body().collect().await;
            Ok(answer())
        })
    }
}

fn answer() -> Response<Body> {
    let message = SimpleResponse { payload: Some(payload::zeros(SIZE)), ..Default::default() };
    let trailers = HeaderMap::from_iter([(Status::GRPC_STATUS, HeaderValue::from_static("0"))]);
    let body = Full::new(framing::frame(&message)).with_trailers(async { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}
