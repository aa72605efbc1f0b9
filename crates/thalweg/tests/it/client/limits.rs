//! Sizes and numbers that a call or a connection must keep to.

use std::time::Duration;

use thalweg::{channel::ChannelBuilder, error::LocalError, request::RequestExt};
use thalweg_proto::demo::{HelloRepeatedlyRequest, HelloRequest};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Request};

use crate::support::{
    call, client,
    fleet::{Fleet, ONE},
    hello, named,
    script::{CANCEL, END, HEAD, Script, answer, reply},
    send, settle, told,
};

const GIB: usize = 1 << 30;

fn receive_limited(size: usize, limit: usize) -> (Code, String, Option<LocalError>) {
    let text = format!("a response message of {size} bytes is larger than max_receive_message_size ({limit} bytes)");
    (Code::ResourceExhausted, text, Some(LocalError::MessageTooLarge { size, limit }))
}

fn send_limited(size: usize, limit: usize) -> (Code, String, Option<LocalError>) {
    let text = format!("a request message of {size} bytes is larger than max_send_message_size ({limit} bytes)");
    (Code::ResourceExhausted, text, Some(LocalError::MessageTooLarge { size, limit }))
}

fn owned((code, message, mark): (Code, &str, Option<LocalError>)) -> (Code, String, Option<LocalError>) {
    (code, message.to_owned(), mark)
}

#[tokio::test(start_paused = true)]
async fn a_message_of_a_gibibyte_is_refused_by_its_first_five_bytes() {
    let mut script = Script::new();
    let (call, mut peer, head) = script.call().await;
    peer.expect_message(head.stream).await;
    peer.send_headers(head.stream, HEAD).await;
    peer.send_data(head.stream, &[0, 0x40, 0, 0, 0]).await;
    assert_eq!(owned(told(&call.await.unwrap().unwrap_err())), receive_limited(GIB, 4 << 20));
    assert_eq!(peer.expect_reset(head.stream).await, CANCEL);
}

#[tokio::test(start_paused = true)]
async fn messages_before_the_one_that_is_too_large_are_still_read() {
    let mut script = Script::new();
    let mut client = client(&script.channel);
    let call = tokio::spawn(async move {
        let replies = client.say_hello_repeatedly(Request::new(HelloRepeatedlyRequest::default())).await;
        let mut replies = replies.unwrap().into_inner();
        (replies.message().await, replies.message().await)
    });
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    peer.send_headers(stream, HEAD).await;
    let message = reply("hello");
    let bytes = [&[0, 0, 0, 0, message.len() as u8][..], &message, &[0, 0x40, 0, 0, 0]].concat();
    peer.send_data(stream, &bytes).await;
    let (first, second) = call.await.unwrap();
    assert_eq!(first.unwrap().unwrap().message, "hello");
    assert_eq!(owned(told(&second.unwrap_err())), receive_limited(GIB, 4 << 20));
}

#[tokio::test(start_paused = true)]
async fn the_smallest_limit_on_responses_counts() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let build = |configure: fn(ChannelBuilder) -> ChannelBuilder| {
        configure(fleet.builder(&format!("ipv4:{ONE}"))).build().unwrap()
    };
    // The reply has the message and the backend, each with its tag and length.
    let size = |text: usize| text + 3 + ONE.len() + 2;
    let by_channel = build(|builder| builder.max_receive_message_size(1000));
    let by_config = build(|builder| {
        builder.default_service_config(r#"{"methodConfig": [{"name": [{}], "maxResponseMessageBytes": 500}]}"#)
    });

    for (channel, option, limit) in [
        (&by_channel, None, 1000),
        (&by_channel, Some(2000), 2000),
        (&by_config, None, 500),
        (&by_config, Some(400), 400),
        (&by_config, Some(2000), 500),
    ] {
        for (bytes, fits) in [(limit, true), (limit + 1, false)] {
            let mut request = named(&format!("large {}", bytes - size(0)));
            if let Some(option) = option {
                request.set_max_receive_message_size(option);
            }
            match send(channel, request).await {
                Ok(_) => assert!(fits, "{bytes} bytes passed a limit of {limit}"),
                Err(status) => {
                    assert!(!fits, "{status:?}");
                    assert_eq!(owned(told(&status)), receive_limited(bytes, limit));
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_smallest_limit_on_requests_counts_and_nothing_of_the_call_is_sent() {
    let config = r#"{"methodConfig": [{"name": [{}], "maxRequestMessageBytes": 500}]}"#;
    for (configured, option, limit) in
        [(false, None, 1000), (false, Some(300), 300), (true, None, 500), (true, Some(2000), 500)]
    {
        let mut script = Script::with(|builder| {
            let builder = builder.max_send_message_size(1000);
            if configured { builder.default_service_config(config) } else { builder }
        });
        let mut request = named(&"x".repeat(limit));
        if let Some(option) = option {
            request.set_max_send_message_size(option);
        }
        let call = call(&script.channel, request);
        let mut peer = script.accept().await;
        let size = limit + 3;
        assert_eq!(owned(told(&call.await.unwrap().unwrap_err())), send_limited(size, limit));
        peer.expect_quiet(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_stream_ends_at_its_first_message_that_is_too_large() {
    let mut script = Script::with(|builder| builder.max_send_message_size(1000));
    let (say, names) = mpsc::unbounded_channel();
    let mut client = client(&script.channel);
    let call = tokio::spawn(async move {
        let mut replies = client.chat(UnboundedReceiverStream::new(names)).await?.into_inner();
        replies.message().await
    });
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    peer.send_headers(stream, HEAD).await;
    say.send(HelloRequest { name: "x".repeat(990) }).unwrap();
    assert_eq!(peer.expect_message(stream).await.len(), 993);
    say.send(HelloRequest { name: "x".repeat(1000) }).unwrap();
    assert_eq!(owned(told(&call.await.unwrap().unwrap_err())), send_limited(1003, 1000));
    assert_eq!(peer.expect_reset(stream).await, CANCEL);
    say.closed().await;
}

#[tokio::test(start_paused = true)]
async fn metadata_over_the_limit_fails_the_call_before_it_is_sent() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.builder(&format!("ipv4:{ONE}")).max_metadata_size(1000).build().unwrap();
    hello(&channel, "ann").await.unwrap();
    let mut request = named("ann");
    request.metadata_mut().insert("x-long", "x".repeat(1000).parse().unwrap());
    let status = send(&channel, request).await.unwrap_err();
    let Some(&LocalError::MetadataTooLarge { size, limit: 1000 }) = LocalError::of(&status) else {
        panic!("{status:?}")
    };
    assert_eq!(status.code(), Code::ResourceExhausted);
    let text = format!("request metadata of {size} bytes is larger than max_metadata_size (1000 bytes)");
    assert_eq!(status.message(), text);
    assert_eq!(one.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn metadata_that_the_server_does_not_accept_fails_the_call_before_it_is_sent() {
    /// SETTINGS_MAX_HEADER_LIST_SIZE.
    const MAX_HEADER_LIST_SIZE: u16 = 6;
    let mut script = Script::new();
    let call = call(&script.channel, named("ann"));
    let mut peer = script.accept_with(&[(MAX_HEADER_LIST_SIZE, 100)]).await;
    let status = call.await.unwrap().unwrap_err();
    let Some(&LocalError::MetadataTooLarge { size, limit: 100 }) = LocalError::of(&status) else {
        panic!("{status:?}")
    };
    let text = format!("request metadata of {size} bytes is larger than {ONE} accepts (100 bytes)");
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, &*text));
    peer.expect_quiet(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn credentials_count_as_metadata() {
    #[derive(Debug)]
    struct Long;
    impl thalweg::credentials::CallCredentials for Long {
        fn metadata<'a>(
            &'a self,
            _: thalweg::credentials::CallContext<'a>,
        ) -> thalweg::BoxFuture<'a, Result<tonic::metadata::MetadataMap, tonic::Status>> {
            let mut metadata = tonic::metadata::MetadataMap::new();
            metadata.insert("authorization", "x".repeat(1000).parse().unwrap());
            Box::pin(async move { Ok(metadata) })
        }
        fn require_security(&self) -> bool {
            false
        }
    }
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let builder = fleet.builder(&format!("ipv4:{ONE}")).max_metadata_size(1000);
    let status = hello(&builder.call_credentials(Long).build().unwrap(), "ann").await.unwrap_err();
    assert!(matches!(LocalError::of(&status), Some(LocalError::MetadataTooLarge { limit: 1000, .. })), "{status:?}");
    assert_eq!(one.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn small_messages_that_a_caller_is_slow_to_read_are_no_attack() {
    const MANY: u32 = 20_000;
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    let repeat = HelloRepeatedlyRequest { name: "a".into(), times: MANY, interval_ms: 0 };
    let mut replies = client(&channel).say_hello_repeatedly(repeat).await.unwrap().into_inner();
    settle().await;
    hello(&channel, "ann").await.unwrap();
    let mut read = 0;
    while replies.message().await.unwrap().is_some() {
        read += 1;
    }
    assert_eq!(read, MANY);
}

#[tokio::test(start_paused = true)]
async fn late_answers_to_calls_that_were_given_up_do_not_end_the_connection() {
    const MANY: usize = 2000;
    let mut script = Script::new();
    let kept = call(&script.channel, named("ann"));
    let mut peer = script.accept().await;
    let kept_stream = peer.expect_headers().await.stream;
    peer.expect_message(kept_stream).await;
    let mut given_up = vec![];
    for _ in 0..MANY {
        let call = call(&script.channel, named("bob"));
        let stream = peer.expect_headers().await.stream;
        peer.expect_message(stream).await;
        call.abort();
        assert_eq!(peer.expect_reset(stream).await, CANCEL);
        given_up.push(stream);
    }
    // By now the client may have forgotten those streams.
    crate::support::pass(Duration::from_secs(60)).await;
    for stream in given_up {
        peer.send_headers(stream, HEAD).await;
        peer.send_message(stream, &reply("too late")).await;
        peer.send_trailers(stream, END).await;
    }
    answer(&mut peer, kept_stream, "hello").await;
    assert_eq!(kept.await.unwrap().unwrap().message, "hello");
    assert_eq!(script.listener.host().attempts(), 1);
}

/// SETTINGS_MAX_CONCURRENT_STREAMS.
const MAX_STREAMS: u16 = 3;

#[tokio::test(start_paused = true)]
async fn a_call_beyond_the_servers_limit_of_streams_waits_for_its_turn() {
    let mut script = Script::new();
    let first = call(&script.channel, named("ann"));
    let mut peer = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let stream = peer.expect_headers().await.stream;
    peer.expect_message(stream).await;
    let second = call(&script.channel, named("bob"));
    peer.expect_quiet(Duration::from_secs(1)).await;
    answer(&mut peer, stream, "hello ann").await;
    assert_eq!(first.await.unwrap().unwrap().message, "hello ann");
    let stream = peer.expect_headers().await.stream;
    peer.expect_message(stream).await;
    answer(&mut peer, stream, "hello bob").await;
    assert_eq!(second.await.unwrap().unwrap().message, "hello bob");
    peer.expect_quiet(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_before_its_turn_never_leaves() {
    let mut script = Script::new();
    let first = call(&script.channel, named("ann"));
    let mut peer = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let stream = peer.expect_headers().await.stream;
    peer.expect_message(stream).await;
    let given_up: Vec<_> = (0..100).map(|_| call(&script.channel, named("bob"))).collect();
    settle().await;
    given_up.iter().for_each(tokio::task::JoinHandle::abort);
    answer(&mut peer, stream, "hello ann").await;
    first.await.unwrap().unwrap();
    peer.expect_quiet(Duration::from_secs(1)).await;
    let next = call(&script.channel, named("cid"));
    let stream = peer.expect_headers().await.stream;
    peer.expect_message(stream).await;
    answer(&mut peer, stream, "hello cid").await;
    assert_eq!(next.await.unwrap().unwrap().message, "hello cid");
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_room_all_get_their_turn() {
    let mut script = Script::new();
    let calls: Vec<_> = (0..20).map(|_| call(&script.channel, named("ann"))).collect();
    let mut peer = script.accept_with(&[(MAX_STREAMS, 2)]).await;
    for _ in 0..10 {
        let streams = [peer.expect_headers().await.stream, peer.expect_headers().await.stream];
        for stream in streams {
            answer(&mut peer, stream, "hello").await;
        }
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().message, "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_allows_more_calls_lets_those_that_wait_go() {
    let mut script = Script::new();
    let calls: Vec<_> = (0..3).map(|_| call(&script.channel, named("ann"))).collect();
    let mut peer = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let first = peer.expect_headers().await.stream;
    peer.send_settings(&[(MAX_STREAMS, 3)]).await;
    let others = [peer.expect_headers().await.stream, peer.expect_headers().await.stream];
    for stream in [first].into_iter().chain(others) {
        answer(&mut peer, stream, "hello").await;
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().message, "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_room_go_elsewhere_when_the_connection_ends() {
    let mut script = Script::new();
    let first = call(&script.channel, named("ann"));
    let mut peer = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    peer.expect_headers().await;
    let waiting = call(&script.channel, named("bob"));
    settle().await;
    drop(peer);
    assert_eq!(first.await.unwrap().unwrap_err().code(), Code::Unavailable);
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    answer(&mut peer, stream, "hello bob").await;
    assert_eq!(waiting.await.unwrap().unwrap().message, "hello bob");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_its_turn_keeps_its_deadline() {
    let mut script = Script::new();
    let _first = call(&script.channel, named("ann"));
    let mut peer = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let stream = peer.expect_headers().await.stream;
    peer.expect_message(stream).await;
    let mut request = named("bob");
    request.set_timeout(Duration::from_millis(100));
    let status = send(&script.channel, request).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    peer.expect_quiet(Duration::from_secs(1)).await;
}
