//! Channels and servers over every kind of byte stream: memory, Unix sockets, names, and an HTTP CONNECT proxy.

mod proxy;

use bytes::Bytes;
use http::uri::PathAndQuery;
use thalweg::{Channel, Server, server::ServerBuilder, transport::connector::memory::MemoryListener};
use thalweg_testkit::stub::{RawCodec, Stub, StubServer};
use tonic::{Request, Response, Status, client::Grpc};

const ECHO: &str = "/test.Echo/Echo";

async fn serve(builder: ServerBuilder) -> StubServer {
    let echo = |request: Request<Bytes>| async move { Ok(Response::new(request.into_inner())) };
    Stub::new().unary(ECHO, echo).serve_by(builder).await
}

async fn echo(channel: &Channel) -> Result<Bytes, Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await?;
    let request = Request::new(Bytes::from_static(b"hello"));
    client.unary(request, PathAndQuery::from_static(ECHO), RawCodec).await.map(Response::into_inner)
}

#[tokio::test(start_paused = true)]
async fn a_service_in_the_same_process_is_called_through_memory() {
    let listener = MemoryListener::new("greeter");
    let connector = listener.connector();
    let _server = serve(Server::builder().listen(listener)).await;
    let channel = Channel::builder("passthrough:///greeter").connector(connector).build().unwrap();
    assert_eq!(echo(&channel).await.unwrap(), "hello");
}

#[cfg(unix)]
#[tokio::test]
async fn unix_sockets_are_targets_by_path() {
    let path = std::env::temp_dir().join(format!("thalweg-it-{}.sock", std::process::id()));
    let address = format!("unix:{}", path.display());
    let _server = serve(Server::builder().listen(address.as_str())).await;
    let channel = Channel::builder(address).build().unwrap();
    assert_eq!(echo(&channel).await.unwrap(), "hello");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn unix_sockets_are_targets_by_abstract_name() {
    let address = format!("unix-abstract:thalweg-it-{}", std::process::id());
    let _server = serve(Server::builder().listen(address.as_str())).await;
    let channel = Channel::builder(address).build().unwrap();
    assert_eq!(echo(&channel).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_name_that_is_passed_through_is_resolved_when_connecting() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let _server = serve(Server::builder().listen(listener)).await;
    let channel = Channel::builder(format!("passthrough:///localhost:{port}")).build().unwrap();
    assert_eq!(echo(&channel).await.unwrap(), "hello");
}
