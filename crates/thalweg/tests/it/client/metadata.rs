//! What travels beside the messages: metadata both ways, the head of a request, call credentials.

use std::sync::Arc;

use thalweg::{
    BoxFuture,
    credentials::{AllowInsecure, CallContext, CallCredentials},
    error::LocalError,
    request::RequestExt,
};
use thalweg_proto::demo::HelloRepeatedlyRequest;
use tonic::{
    Code, Status,
    metadata::{MetadataMap, MetadataValue},
};

use crate::support::{
    call, client,
    fleet::{Fleet, ONE},
    hello, named,
    script::{Script, answer},
    send, told,
};

#[tokio::test(start_paused = true)]
async fn metadata_travels_both_ways_and_trailing_metadata_comes_with_success() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let mut request = named("metadata");
    request.metadata_mut().insert("x-text", "text, and more".parse().unwrap());
    request.metadata_mut().insert_bin("x-bytes-bin", MetadataValue::from_bytes(&[0, 1, 254, 255]));
    let response = client(&fleet.to_one()).say_hello(request).await.unwrap();
    let metadata = response.metadata();
    assert_eq!(metadata.get("x-text").unwrap(), "text, and more");
    assert_eq!(metadata.get_bin("x-bytes-bin").unwrap().to_bytes().unwrap(), &[0, 1, 254, 255][..]);
    assert_eq!(metadata.get("x-cost").unwrap(), "12");
    assert_eq!(metadata.get_bin("x-trace-bin").unwrap().to_bytes().unwrap(), &[0, 255][..]);
}

#[tokio::test(start_paused = true)]
async fn the_trailing_metadata_of_a_stream_is_readable_at_its_end() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let repeat = HelloRepeatedlyRequest { name: "trailers".into(), times: 3, interval_ms: 0 };
    let mut replies = client(&fleet.to_one()).say_hello_repeatedly(repeat).await.unwrap().into_inner();
    while replies.message().await.unwrap().is_some() {}
    assert_eq!(replies.trailers().await.unwrap().unwrap().get("x-cost").unwrap(), "2");
}

#[tokio::test(start_paused = true)]
async fn the_head_of_a_request_is_as_grpc_wants_it() {
    let mut script = Script::with(|builder| builder.user_agent("greetings/1.0"));
    let (_call, mut peer, head) = script.call().await;
    let get = |name| head.headers.get(name);
    assert_eq!(get(":method"), Some("POST"));
    assert_eq!(get(":scheme"), Some("http"));
    assert_eq!(get(":path"), Some("/thalweg.demo.v1.Greeter/SayHello"));
    assert_eq!(get(":authority"), Some(ONE));
    assert_eq!(get("te"), Some("trailers"));
    assert_eq!(get("content-type"), Some("application/grpc"));
    assert_eq!(get("grpc-timeout"), None);
    assert_eq!(get("user-agent"), Some(concat!("greetings/1.0 grpc-rust-thalweg/", env!("CARGO_PKG_VERSION"))));
    assert!(!head.end);
    let data = peer.expect_data(head.stream).await;
    assert_eq!((&data.bytes[..5], data.end), (&[0, 0, 0, 0, 5][..], true), "one frame carries message and end");
}

#[tokio::test(start_paused = true)]
async fn the_authority_is_the_calls_or_the_channels_or_the_targets() {
    let mut script = Script::with(|builder| builder.authority("channel.example:80"));
    let (_call, mut peer, head) = script.call().await;
    assert_eq!(head.headers.get(":authority"), Some("channel.example:80"));
    let mut request = named("ann");
    request.set_authority("call.example").unwrap();
    let _call = call(&script.channel, request);
    assert_eq!(peer.expect_headers().await.headers.get(":authority"), Some("call.example"));
    let error = named("ann").set_authority("no authority/").unwrap_err();
    assert_eq!(error.to_string(), r#"the authority "no authority/" is not a host, or a host and a port"#);
}

#[tokio::test(start_paused = true)]
async fn headers_of_a_connection_are_refused_as_metadata_and_harm_no_other_call() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    for key in ["connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection"] {
        let mut request = named("ann");
        request.metadata_mut().insert(key, "close".parse().unwrap());
        let status = send(&channel, request).await.unwrap_err();
        let text = format!("the metadata key {key:?} is not allowed: HTTP/2 has no such header");
        assert_eq!(told(&status), (Code::Internal, &*text, Some(LocalError::MalformedRequest(text.as_str().into()))));
    }
    hello(&channel, "ann").await.unwrap();
    assert_eq!(one.host.attempts(), 1);
}

/// Says who calls what, or fails, or never answers.
#[derive(Debug)]
struct Token(Option<Code>);

impl CallCredentials for Token {
    fn metadata<'a>(&'a self, call: CallContext<'a>) -> BoxFuture<'a, Result<MetadataMap, Status>> {
        Box::pin(async move {
            if let Some(code) = self.0 {
                return Err(Status::new(code, "no token today"));
            }
            let mut metadata = MetadataMap::new();
            metadata.insert("authorization", format!("{} at {}", call.method, call.authority).parse().unwrap());
            Ok(metadata)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn call_credentials_add_their_metadata_to_each_call() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let channel = fleet.builder(&format!("ipv4:{ONE}")).call_credentials(AllowInsecure(Token(None))).build().unwrap();
    let expected = format!("/thalweg.demo.v1.Greeter/SayHello at {ONE}");
    assert_eq!(hello(&channel, "read authorization").await.unwrap().message, expected);

    let mut request = named("read authorization");
    request.set_call_credentials(Arc::new(AllowInsecure(Token(None))));
    assert_eq!(send(&fleet.to_one(), request).await.unwrap().message, expected);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_needs_security_is_not_sent_in_the_clear() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let mut request = named("ann");
    request.set_call_credentials(Arc::new(Token(None)));
    let status = send(&fleet.to_one(), request).await.unwrap_err();
    let text = "call credentials need a secure channel, and this one is plaintext";
    assert_eq!(told(&status), (Code::Unauthenticated, text, Some(LocalError::CallCredentials(text.into()))));
    assert_eq!(one.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn credentials_fail_a_call_with_their_status_unless_its_code_is_the_applications() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    for (code, seen, text) in [
        (Code::Unauthenticated, Code::Unauthenticated, "no token today"),
        (Code::Unavailable, Code::Unavailable, "no token today"),
        (
            Code::InvalidArgument,
            Code::Internal,
            "illegal status from the control plane: INVALID_ARGUMENT: no token today",
        ),
        (Code::NotFound, Code::Internal, "illegal status from the control plane: NOT_FOUND: no token today"),
    ] {
        let mut request = named("ann");
        request.set_call_credentials(Arc::new(AllowInsecure(Token(Some(code)))));
        let status = send(&fleet.to_one(), request).await.unwrap_err();
        let mark = LocalError::CallCredentials("no token today".into());
        assert_eq!(told(&status), (seen, text, Some(mark)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_cannot_say_what_only_the_channel_may() {
    let mut script = Script::new();
    let mut request = named("ann");
    request.metadata_mut().insert("user-agent", "somebody else".parse().unwrap());
    let _call = call(&script.channel, request);
    let mut peer = script.accept().await;
    let head = peer.expect_headers().await;
    assert_eq!(head.headers.all("user-agent").collect::<Vec<_>>().len(), 1);
    assert!(head.headers.get("user-agent").unwrap().starts_with("grpc-rust-thalweg/"));
    answer(&mut peer, head.stream, "hello").await;
}
