//! Deadlines cover the whole call, and the error tells where the time went.

use std::time::Duration;

use thalweg::{
    BoxFuture,
    core::endpoint::Endpoint,
    credentials::{AllowInsecure, CallContext, CallCredentials},
    error::LocalError,
    request::RequestExt,
    resolver::ResolverUpdate,
};
use thalweg_proto::demo::{HelloRepeatedlyRequest, HelloRequest};
use tokio::time::Instant;
use tonic::{Code, Request, Status, metadata::MetadataMap};

use crate::support::{
    call, client,
    fleet::{Fleet, ONE},
    named, pass,
    script::{CANCEL, HEAD, Script, reply},
    send, settle, told,
};

const MS: Duration = Duration::from_millis(1);

fn within(time: Duration, name: &str) -> Request<HelloRequest> {
    let mut request = named(name);
    request.set_timeout(time);
    request
}

/// The message of a call that ended at its deadline.
fn story(status: &Status) -> &str {
    let (code, message, mark) = told(status);
    assert_eq!((code, mark), (Code::DeadlineExceeded, Some(LocalError::DeadlineExceeded)), "{status:?}");
    message
}

#[tokio::test(start_paused = true)]
async fn a_deadline_may_pass_while_there_is_no_connection_yet() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    one.host.black_hole();
    let begun = Instant::now();
    let status = send(&fleet.to_one(), within(200 * MS, "ann")).await.unwrap_err();
    assert_eq!(story(&status), "after 200ms: 200ms waiting for a READY backend");
    assert_eq!(begun.elapsed().as_millis(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_may_pass_while_the_name_does_not_resolve() {
    let fleet = Fleet::new();
    let channel = fleet.builder("names:fleet").build().unwrap();
    let status = send(&channel, within(200 * MS, "ann")).await.unwrap_err();
    assert_eq!(story(&status), "after 200ms: 200ms waiting for a READY backend (names:fleet has not resolved yet)");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_may_pass_while_a_patient_call_finds_no_backend_and_says_why() {
    let fleet = Fleet::new();
    fleet.network.host(ONE).refuse();
    let mut request = within(200 * MS, "ann");
    request.set_wait_for_ready(true);
    let status = send(&fleet.to_one(), request).await.unwrap_err();
    let story = story(&status);
    let why = format!("no backend of ipv4:{ONE} can be used: {ONE} connection refused (next attempt in ");
    assert!(story.starts_with(&format!("after 200ms: 200ms waiting for a READY backend ({why}")), "{story}");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_may_pass_before_the_response_begins() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    one.host.set_latency(25 * MS);
    let status = send(&fleet.to_one(), within(200 * MS, "hang")).await.unwrap_err();
    // Connecting takes two times the latency, the server's SETTINGS come after a third.
    let expected =
        format!("after 200ms: 75ms waiting for a READY backend, 125ms waiting for response headers from {ONE}");
    assert_eq!(story(&status), expected);
    pass(100 * MS).await;
    assert_eq!((one.calls(), one.present()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_may_pass_in_the_middle_of_the_response_stream() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    channel.ready().await;
    one.host.set_latency(10 * MS);
    let mut request = Request::new(HelloRepeatedlyRequest { name: "stay".into(), times: 2, interval_ms: 0 });
    request.set_timeout(300 * MS);
    let mut replies = client(&channel).say_hello_repeatedly(request).await.unwrap().into_inner();
    for _ in 0..2 {
        assert_eq!(replies.message().await.unwrap().unwrap().message, "hello stay");
    }
    let status = replies.message().await.unwrap_err();
    assert_eq!(
        story(&status),
        format!(
            "after 300ms: 0ns waiting for a READY backend, 20ms waiting for response headers from {ONE}, \
             280ms reading the response"
        )
    );
    pass(100 * MS).await;
    assert_eq!(one.present(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_may_pass_while_the_request_finds_no_room() {
    let mut script = Script::new();
    let call = call(&script.channel, within(200 * MS, &"x".repeat(200_000)));
    let mut peer = script.accept().await;
    let head = peer.expect_headers().await;
    peer.withhold_credit();
    let mut received = 0;
    while received < 65_535 {
        received += peer.expect_data(head.stream).await.bytes.len();
    }
    let status = call.await.unwrap().unwrap_err();
    let expected =
        format!("after 200ms: 0ns waiting for a READY backend, 200ms waiting for response headers from {ONE}");
    assert_eq!(story(&status), expected);
    assert_eq!(peer.expect_reset(head.stream).await, CANCEL);
}

/// A token source that never answers.
#[derive(Debug)]
struct Mute;

impl CallCredentials for Mute {
    fn metadata<'a>(&'a self, _: CallContext<'a>) -> BoxFuture<'a, Result<MetadataMap, Status>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_may_pass_while_there_is_no_token() {
    let fleet = Fleet::new();
    let channel = fleet.builder(&format!("ipv4:{ONE}")).call_credentials(AllowInsecure(Mute)).build().unwrap();
    let status = send(&channel, within(200 * MS, "ann")).await.unwrap_err();
    assert_eq!(story(&status), "after 200ms: 200ms waiting for call credentials");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_the_past_fails_the_call_before_it_goes_anywhere() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    channel.ready().await;
    let mut request = named("ann");
    request.set_deadline(Instant::now().into_std());
    let status = send(&channel, request).await.unwrap_err();
    assert_eq!(story(&status), "after 0ns: 0ns waiting for a READY backend");
    settle().await;
    assert_eq!(one.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_server_is_told_what_is_left_of_the_time() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    one.host.set_latency(25 * MS);
    let reply = send(&fleet.to_one(), within(200 * MS, "read grpc-timeout")).await.unwrap();
    assert_eq!(reply.message, "125000u");
}

#[tokio::test(start_paused = true)]
async fn the_earliest_of_all_deadlines_counts() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let config = r#"{"methodConfig": [{"name": [{}], "timeout": "0.2s"}]}"#;
    let channel = fleet.builder(&format!("ipv4:{ONE}")).default_service_config(config).build().unwrap();
    channel.ready().await;
    for (timeout, deadline, expected) in [
        (None, None, 200),
        (Some(100), None, 100),
        (Some(300), None, 200),
        (None, Some(50), 50),
        (Some(300), Some(400), 200),
    ] {
        let mut request = named("hang");
        if let Some(millis) = timeout {
            request.set_timeout(millis * MS);
        }
        if let Some(millis) = deadline {
            request.set_deadline((Instant::now() + millis * MS).into_std());
        }
        let begun = Instant::now();
        let status = send(&channel, request).await.unwrap_err();
        assert!(story(&status).starts_with(&format!("after {expected}ms: ")), "{status:?}");
        assert_eq!(begun.elapsed().as_millis(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_stops_sending_does_not_outlive_the_deadline() {
    let mut script = Script::new();
    let mut client = client(&script.channel);
    let call = tokio::spawn(async move {
        let mut request = Request::new(HelloRepeatedlyRequest::default());
        request.set_timeout(100 * MS);
        let mut replies = client.say_hello_repeatedly(request).await.unwrap().into_inner();
        // What has come is read only after the deadline.
        pass(200 * MS).await;
        replies.message().await
    });
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    peer.send_headers(stream, HEAD).await;
    for _ in 0..100 {
        peer.send_message(stream, &reply("more")).await;
    }
    assert!(story(&call.await.unwrap().unwrap_err()).ends_with("200ms reading the response"));
    peer.expect_message(stream).await;
    assert_eq!(peer.expect_reset(stream).await, CANCEL);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_stream_is_reset_with_cancel() {
    let mut script = Script::new();
    let call = call(&script.channel, within(100 * MS, "ann"));
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    peer.expect_message(stream).await;
    peer.expect_end(stream).await;
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(peer.expect_reset(stream).await, CANCEL);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_a_request_stream_that_goes_on_is_dropped() {
    let mut script = Script::new();
    let mut client = client(&script.channel);
    let (say, names) = tokio::sync::mpsc::channel::<HelloRequest>(1);
    let call = tokio::spawn(async move {
        let mut request = Request::new(tokio_stream::wrappers::ReceiverStream::new(names));
        request.set_timeout(100 * MS);
        let replies = client.chat(request).await.unwrap();
        // Nobody reads.
        std::future::pending::<()>().await;
        drop(replies);
    });
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    peer.send_headers(stream, HEAD).await;
    say.closed().await;
    assert_eq!(peer.expect_reset(stream).await, CANCEL);
    call.abort();
}

#[tokio::test(start_paused = true)]
async fn a_timeout_beyond_all_clocks_is_no_timeout() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    fleet.names.set(ResolverUpdate {
        endpoints: vec![Endpoint::new([fleet.network.host(ONE).address()])],
        ..ResolverUpdate::default()
    });
    let channel = fleet.builder("names:fleet").build().unwrap();
    assert_eq!(
        send(&channel, within(Duration::from_secs(99_999_999 * 3600), "ann")).await.unwrap().message,
        "hello ann"
    );
}

#[tokio::test(start_paused = true)]
async fn a_malformed_timeout_is_the_callers_mistake() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let mut request = named("ann");
    request.metadata_mut().insert("grpc-timeout", "10s".parse().unwrap());
    let status = send(&fleet.to_one(), request).await.unwrap_err();
    let text = r#"grpc-timeout "10s": the unit is not one of H, M, S, m, u and n"#;
    assert_eq!(told(&status), (Code::Internal, text, Some(LocalError::MalformedRequest(text.into()))));
}
