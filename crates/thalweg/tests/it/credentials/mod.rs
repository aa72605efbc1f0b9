//! TLS and call credentials, from a stub's call to a handler and back, on a network in memory.

mod call;
mod tls;

use bytes::Bytes;
use http::uri::PathAndQuery;
use thalweg::Channel;
use thalweg_testkit::stub::{RawCodec, Stub};
use tonic::{Request, Response, Status, client::Grpc};

/// Where the backend is.
const BACKEND: &str = "10.0.0.1:50051";
/// The target that leads there, whose authority is another matter.
const TARGET: &str = "ipv4:10.0.0.1:50051";
/// Answers with what the handler saw.
const SEEN: &str = "/test.Mirror/Seen";

/// A backend that answers with what `see` makes of the request.
fn mirror(see: impl Fn(&Request<Bytes>) -> String + Send + Sync + 'static) -> Stub {
    Stub::new().unary(SEEN, move |request| {
        let seen = see(&request);
        async move { Ok(Response::new(Bytes::from(seen))) }
    })
}

async fn call(channel: &Channel) -> Result<String, Status> {
    send(channel, Request::new(Bytes::new())).await
}

async fn send(channel: &Channel, request: Request<Bytes>) -> Result<String, Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await?;
    let response = client.unary(request, PathAndQuery::from_static(SEEN), RawCodec).await?;
    Ok(String::from_utf8(response.into_inner().to_vec()).unwrap())
}
