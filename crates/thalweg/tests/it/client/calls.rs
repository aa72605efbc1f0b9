//! Calls of all four kinds through unmodified generated stubs, alone and in layers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Request as HttpRequest;
use thalweg::{error::LocalError, request::RequestExt};
use thalweg_proto::demo::{
    HelloRepeatedlyRequest, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer,
};
use tokio_stream::StreamExt;
use tonic::{Code, Request, Status, body::Body, codec::CompressionEncoding};
use tower_service::Service;

use crate::support::{
    client,
    fleet::{Fleet, ONE},
    greeter::Backend,
    hello, named,
    script::{Script, answer},
    send,
};

fn request(name: &str) -> HelloRequest {
    HelloRequest { name: name.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn the_four_kinds_of_calls_go_through_generated_stubs() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let mut client = client(&fleet.to_one());

    let reply = client.say_hello(named("ann")).await.unwrap().into_inner();
    assert_eq!((&*reply.message, &*reply.backend), ("hello ann", ONE));

    let repeat = HelloRepeatedlyRequest { name: "bob".into(), times: 3, interval_ms: 5 };
    let replies = client.say_hello_repeatedly(repeat).await.unwrap().into_inner();
    let replies: Vec<_> = replies.map(|reply| reply.unwrap().message).collect().await;
    assert_eq!(replies, ["hello bob"; 3]);

    let names = tokio_stream::iter([request("ann"), request("bob")]);
    let reply = client.say_hello_to_all(names).await.unwrap().into_inner();
    assert_eq!(reply.message, "hello ann and bob");

    let (say, names) = tokio::sync::mpsc::channel(1);
    let names = tokio_stream::wrappers::ReceiverStream::new(names);
    let mut replies = client.chat(names).await.unwrap().into_inner();
    for name in ["ann", "bob"] {
        say.send(request(name)).await.unwrap();
        assert_eq!(replies.message().await.unwrap().unwrap().message, format!("hello {name}"));
    }
    drop(say);
    assert_eq!(replies.message().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_request_stream_without_messages_ends_well() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let mut client = client(&fleet.to_one());
    let reply = client.say_hello_to_all(tokio_stream::empty()).await.unwrap();
    assert_eq!(reply.into_inner().message, "hello ");
    let mut replies = client.chat(tokio_stream::empty()).await.unwrap().into_inner();
    assert_eq!(replies.message().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_is_heard_in_full_and_carries_no_mark() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    let status = hello(&channel, "fail").await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "nobody: 100 % of them, señor"));
    assert_eq!(status.details(), b"why");
    assert_eq!(status.metadata().get("x-reason").unwrap(), "asleep");
    assert_eq!(LocalError::of(&status), None);

    let repeat = HelloRepeatedlyRequest { name: "fail".into(), times: 3, interval_ms: 0 };
    let mut replies = client(&channel).say_hello_repeatedly(repeat).await.unwrap().into_inner();
    assert_eq!(replies.message().await.unwrap().unwrap().message, "hello fail");
    let status = replies.message().await.unwrap_err();
    assert_eq!((status.code(), status.details()), (Code::NotFound, &b"why"[..]));
    assert_eq!(status.metadata().get("x-reason").unwrap(), "asleep");
    assert_eq!(LocalError::of(&status), None);
}

#[tokio::test(start_paused = true)]
async fn gzip_compresses_both_ways() {
    let fleet = Fleet::new();
    let greeter = GreeterServer::new(Backend::new(ONE))
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);
    let server =
        thalweg::Server::builder().add_service(greeter).listen(fleet.network.listen(ONE)).bind().await.unwrap();
    tokio::spawn(server.run());
    let mut client =
        client(&fleet.to_one()).send_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Gzip);
    let response = client.say_hello(named("read grpc-encoding")).await.unwrap();
    assert_eq!(response.metadata().get("grpc-encoding").unwrap(), "gzip");
    assert_eq!(response.into_inner().message, "gzip");
    let response = client.say_hello(named("large 100000")).await.unwrap();
    assert_eq!(response.into_inner().message.len(), 100_000);
}

#[tokio::test(start_paused = true)]
async fn a_compressed_request_is_flagged_on_the_wire() {
    let mut script = Script::new();
    let mut client = client(&script.channel).send_compressed(CompressionEncoding::Gzip);
    let call = tokio::spawn(async move { client.say_hello(named(&"ann ".repeat(1000))).await });
    let mut peer = script.accept().await;
    let head = peer.expect_headers().await;
    assert_eq!(head.headers.get("grpc-encoding"), Some("gzip"));
    let data = peer.expect_data(head.stream).await;
    assert_eq!(data.bytes[0], 1);
    assert!(data.bytes.len() < 200, "{data:?}");
    answer(&mut peer, head.stream, "hello").await;
    assert_eq!(call.await.unwrap().unwrap().into_inner().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn an_interceptor_may_add_metadata_and_refuse_calls() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let mut client = GreeterClient::with_interceptor(fleet.to_one(), |mut request: Request<()>| {
        if request.metadata().contains_key("x-forbidden") {
            return Err(Status::permission_denied("not you"));
        }
        request.metadata_mut().insert("x-added", "by the interceptor".parse().unwrap());
        Ok(request)
    });
    let reply = client.say_hello(named("read x-added")).await.unwrap().into_inner();
    assert_eq!(reply.message, "by the interceptor");

    let mut forbidden = named("ann");
    forbidden.metadata_mut().insert("x-forbidden", "yes".parse().unwrap());
    let status = client.say_hello(forbidden).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "not you"));
    assert_eq!(LocalError::of(&status), None);
    assert_eq!(one.calls(), 1);
}

/// A tower layer's service: counts the calls that go through it.
#[derive(Clone)]
struct Counted<S> {
    inner: S,
    calls: Arc<AtomicUsize>,
}

impl<S> Service<HttpRequest<Body>> for Counted<S>
where
    S: Service<HttpRequest<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: HttpRequest<Body>) -> S::Future {
        self.calls.fetch_add(1, Relaxed);
        self.inner.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_tower_service_around_the_channel_sees_every_call() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let mut client = GreeterClient::new(Counted { inner: fleet.to_one(), calls: calls.clone() });
    client.say_hello(named("ann")).await.unwrap();
    client.say_hello(named("fail")).await.unwrap_err();
    assert_eq!(calls.load(Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn clones_of_a_channel_share_its_connection() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    let calls: Vec<_> = (0..100)
        .map(|n| {
            let channel = channel.clone();
            tokio::spawn(async move { send(&channel, named(&n.to_string())).await })
        })
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap().message, format!("hello {n}"));
    }
    assert_eq!((one.host.attempts(), one.calls()), (1, 100));
}

#[tokio::test(start_paused = true)]
async fn a_channel_takes_any_http_body_and_shows_both_ends_of_the_connection() {
    let mut script = Script::new();
    let request = HttpRequest::post("/any.Service/Method").body("raw bytes".to_owned()).unwrap();
    let call = tokio::spawn(script.channel.clone().call(request));
    let mut peer = script.accept().await;
    let head = peer.expect_headers().await;
    assert_eq!(head.headers.get("content-type"), Some("application/grpc"));
    let data = peer.expect_data(head.stream).await;
    assert_eq!((data.bytes, data.end), (Bytes::from("raw bytes"), true));
    answer(&mut peer, head.stream, "hello").await;
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_asks_learns_who_answered() {
    let mut script = Script::new();
    let mut client = client(&script.channel);
    let mut request = named("ann");
    request.want_peer();
    let call = tokio::spawn(async move { client.say_hello(request).await });
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    answer(&mut peer, stream, "hello").await;
    let response = call.await.unwrap().unwrap();
    let ends: &thalweg::io::PeerInfo = response.extensions().get().unwrap();
    assert_eq!(ends.remote.as_ref().unwrap().to_string(), ONE);
    assert_eq!(ends.local.as_ref().unwrap().to_string(), "10.255.0.1:40000");
}
