//! The generated stub on a service that answers at once: what the stub itself costs.
//!
//! The service does what every transport must: it polls the request's body to its end, so that the message is encoded,
//! and answers with headers, one message and trailers.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use thalweg_proto::bench::echo_client::EchoClient;
use tonic::{
    Status,
    body::Body,
    client::GrpcService,
    codegen::{Body as HttpBody, StdError},
};

use crate::{load::Caller, protocol};

/// The stub, on top of nothing.
pub(super) fn client(payload: &Bytes) -> impl Caller + Clone + use<> {
    let reply = protocol::frame(payload);
    EchoClient::new(answering_at_once(reply))
}

fn answering_at_once(
    reply: Bytes,
) -> impl GrpcService<
    Body,
    Future: Send,
    Error: Into<StdError>,
    ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
> + Clone
+ Send
+ 'static {
    tower::service_fn(move |request: Request<Body>| {
        let reply = Full::new(reply.clone());
        async move {
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await {
                frame?;
            }
            let trailers = HeaderMap::from_iter([(protocol::GRPC_STATUS, HeaderValue::from_static("0"))]);
            let body = reply.with_trailers(std::future::ready(Some(Ok::<_, Infallible>(trailers))));
            let mut response = Response::new(body);
            response.headers_mut().insert(header::CONTENT_TYPE, protocol::CONTENT_TYPE);
            Ok::<_, Status>(response)
        }
    })
}
