//! The generated stub on a service that answers at once: what the stub itself costs.
//!
//! The service does what every transport must: it polls the request's body, so that messages are encoded, and answers
//! with headers, messages and, to a unary call, trailers. A streamed message comes in a frame of its own.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Either, Full, StreamBody};
use thalweg_proto::bench::echo_client::EchoClient;
use tonic::{Status, body::Body};

use super::stub::Ground;
use crate::protocol;

/// The stub, on top of nothing.
pub(super) fn client(payload: &Bytes) -> EchoClient<impl Ground + use<>> {
    EchoClient::new(answering_at_once(protocol::frame(payload)))
}

fn answering_at_once(message: Bytes) -> impl Ground {
    tower::service_fn(move |request: Request<Body>| {
        let message = message.clone();
        async move {
            let body = match request.uri().path() {
                protocol::STREAM => Either::Right(request.into_body()),
                protocol::DOWNLOAD => Either::Right(without_end(message)),
                _ => Either::Left(once(request.into_body(), message).await?),
            };
            let mut response = Response::new(body);
            response.headers_mut().insert(header::CONTENT_TYPE, protocol::CONTENT_TYPE);
            Ok::<_, Status>(response)
        }
    })
}

/// One message and the trailers, after all of the request.
async fn once(
    mut request: Body,
    message: Bytes,
) -> Result<impl http_body::Body<Data = Bytes, Error = Infallible> + Send, Status> {
    while let Some(frame) = request.frame().await {
        frame?;
    }
    let trailers = HeaderMap::from_iter([(protocol::GRPC_STATUS, HeaderValue::from_static("0"))]);
    Ok(Full::new(message).with_trailers(std::future::ready(Some(Ok(trailers)))))
}

/// Message after message.
fn without_end(message: Bytes) -> Body {
    let frames = std::iter::repeat_with(move || Ok::<_, Status>(http_body::Frame::data(message.clone())));
    Body::new(StreamBody::new(tokio_stream::iter(frames)))
}
