//! The stub, called through a channel and by a scripted client.

use thalweg::Channel;
use tonic::{Code, client::Grpc as Client};

use super::*;
use crate::{network::Network, peer::Peer};

const ECHO: &str = "/test.Echo/Echo";

fn echo() -> Stub {
    Stub::new().unary(ECHO, |request: Request<Bytes>| async move { Ok(Response::new(request.into_inner())) })
}

async fn call(channel: &Channel, path: &'static str) -> Result<Bytes, Status> {
    let mut client = Client::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(format!("{error:?}")))?;
    let request = Request::new(Bytes::from_static(b"hello"));
    client.unary(request, http::uri::PathAndQuery::from_static(path), RawCodec).await.map(Response::into_inner)
}

#[tokio::test(start_paused = true)]
async fn a_channel_calls_a_stub_over_the_network() {
    let network = Network::new();
    let server = echo().serve(network.listen("10.0.0.1:50051")).await;
    let channel = Channel::builder("ipv4:10.0.0.1:50051").connector(network.clone()).build().unwrap();
    assert_eq!(call(&channel, ECHO).await.unwrap(), "hello");
    assert_eq!(call(&channel, "/test.Echo/Other").await.unwrap_err().code(), Code::Unimplemented);
    assert_eq!(server.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_scripted_client_calls_a_stub_frame_by_frame() {
    let network = Network::new();
    let _server = echo().serve(network.listen("stub")).await;
    let connected = thalweg::transport::Connector::connect(&network, network.host("stub").address()).await.unwrap();
    let mut peer = Peer::new(connected.io);
    peer.send_preface(&[]).await;
    let stream = peer.send_request(ECHO, &[]).await;
    peer.send_message(stream, b"ping").await;
    peer.send_end(stream).await;
    let head = peer.expect_headers_on(stream).await;
    assert_eq!((head.headers.get(":status"), head.end), (Some("200"), false));
    assert_eq!(peer.expect_message(stream).await, "ping");
    let trailers = peer.expect_headers_on(stream).await;
    assert_eq!((trailers.headers.get("grpc-status"), trailers.end), (Some("0"), true));
}

#[tokio::test(start_paused = true)]
async fn a_streaming_method_sees_the_request_stream() {
    let stub = Stub::new()
        .streaming(ECHO, |request: Request<Streaming<Bytes>>| async move { Ok(Response::new(request.into_inner())) });
    let network = Network::new();
    let _server = stub.serve(network.listen("stub")).await;
    let connected = thalweg::transport::Connector::connect(&network, network.host("stub").address()).await.unwrap();
    let mut peer = Peer::new(connected.io);
    peer.send_preface(&[]).await;
    let stream = peer.send_request(ECHO, &[]).await;
    for message in [&b"one"[..], b"two"] {
        peer.send_message(stream, message).await;
    }
    peer.expect_headers_on(stream).await;
    assert_eq!((peer.expect_message(stream).await, peer.expect_message(stream).await), ("one".into(), "two".into()));
    peer.send_end(stream).await;
    assert!(peer.expect_headers_on(stream).await.end);
}
