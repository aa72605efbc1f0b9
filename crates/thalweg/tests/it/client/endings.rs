//! How calls end before their time: given up, answered early, cut off; and what that frees.

use std::time::Duration;

use thalweg::{
    error::{LocalError, Processed, Who, WireError, WireErrorKind},
    transport::options::Http2Options,
};
use thalweg_proto::demo::{HelloRepeatedlyRequest, HelloReply, HelloRequest};
use thalweg_testkit::peer::Peer;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Request, Streaming};

use crate::support::{
    call, client,
    fleet::{Fleet, ONE},
    named,
    script::{CANCEL, END, HEAD, NO_ERROR, Script, answer, name_in, reply},
    settle, told,
};

type Chat = JoinHandle<Result<tonic::Response<Streaming<HelloReply>>, tonic::Status>>;

/// A chat that has reached the server, and the way to speak in it.
async fn chat(script: &mut Script) -> (Chat, mpsc::UnboundedSender<HelloRequest>, Peer, u32) {
    let (say, names) = mpsc::unbounded_channel();
    let mut client = client(&script.channel);
    let call = tokio::spawn(async move { client.chat(Request::new(UnboundedReceiverStream::new(names))).await });
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    (call, say, peer, stream)
}

fn speak(say: &mpsc::UnboundedSender<HelloRequest>, name: &str) {
    say.send(HelloRequest { name: name.into() }).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_before_its_answer_is_cancelled() {
    let mut script = Script::new();
    let (call, mut peer, head) = script.call().await;
    peer.expect_message(head.stream).await;
    peer.expect_end(head.stream).await;
    call.abort();
    assert_eq!(peer.expect_reset(head.stream).await, CANCEL);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_while_it_waits_never_reaches_a_server() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    one.host.black_hole();
    let channel = fleet.to_one();
    let waiting = call(&channel, named("ann"));
    settle().await;
    waiting.abort();
    one.host.heal();
    channel.ready().await;
    settle().await;
    assert_eq!(one.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_not_read_to_its_end_is_cancelled_with_its_request() {
    let mut script = Script::new();
    let (call, say, mut peer, stream) = chat(&mut script).await;
    peer.send_headers(stream, HEAD).await;
    peer.send_message(stream, &reply("hello")).await;
    let mut replies = call.await.unwrap().unwrap().into_inner();
    assert_eq!(replies.message().await.unwrap().unwrap().message, "hello");
    assert!(!say.is_closed());
    drop(replies);
    say.closed().await;
    assert_eq!(peer.expect_reset(stream).await, CANCEL);
}

#[tokio::test(start_paused = true)]
async fn what_a_dropped_call_did_not_read_is_room_for_others() {
    const WINDOW: u32 = 65_535;
    let small = Http2Options { stream_window: WINDOW, connection_window: WINDOW, ..Http2Options::default() };
    let mut script = Script::with(|builder| builder.http2(small));
    let mut client = client(&script.channel);
    let call = tokio::spawn(async move { client.say_hello_repeatedly(HelloRepeatedlyRequest::default()).await });
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    peer.expect_message(stream).await;
    peer.expect_end(stream).await;
    peer.send_headers(stream, HEAD).await;
    // A message that fills both windows, and of which there is more to come.
    peer.send_data(stream, &[&[0, 0, 1, 0, 0][..], &vec![0; WINDOW as usize - 5]].concat()).await;
    let replies = call.await.unwrap().unwrap().into_inner();
    settle().await;
    drop(replies);
    assert_eq!(peer.expect_reset(stream).await, CANCEL);
    let mut freed = 0;
    while freed < WINDOW {
        freed += peer.expect_window_update(0).await;
    }
    assert_eq!(freed, WINDOW);

    let next = crate::support::call(&script.channel, named("bob"));
    let stream = peer.expect_headers().await.stream;
    peer.expect_message(stream).await;
    answer(&mut peer, stream, &"x".repeat(60_000)).await;
    assert_eq!(next.await.unwrap().unwrap().message.len(), 60_000);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_not_read_takes_no_more_than_its_window() {
    let mut script = Script::with(|builder| {
        builder.http2(Http2Options { stream_window: 100_000, connection_window: 100_000, ..Http2Options::default() })
    });
    let mut client = client(&script.channel);
    let call = tokio::spawn(async move { client.say_hello_repeatedly(HelloRepeatedlyRequest::default()).await });
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    peer.send_headers(stream, HEAD).await;
    let message = vec![0, 0, 1, 0, 0];
    peer.send_data(stream, &[message, vec![0; 60_000]].concat()).await;
    let _replies = call.await.unwrap().unwrap().into_inner();
    settle().await;
    // Nothing is credited on the stream before somebody reads.
    peer.expect_message(stream).await;
    let credit = tokio::time::timeout(Duration::from_secs(1), peer.expect_window_update(stream)).await;
    assert!(credit.is_err(), "{credit:?}");
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_ends_the_call_and_what_is_left_of_the_request() {
    for trailers_only in [false, true] {
        let mut script = Script::new();
        let (call, say, mut peer, stream) = chat(&mut script).await;
        speak(&say, "ann");
        peer.expect_message(stream).await;
        let end = [("grpc-status", "6"), ("grpc-message", "no need to go on")];
        let status = if trailers_only {
            peer.send_trailers(stream, &[HEAD, &end].concat()).await;
            call.await.unwrap().unwrap_err()
        } else {
            peer.send_headers(stream, HEAD).await;
            peer.send_trailers(stream, &end).await;
            call.await.unwrap().unwrap().into_inner().message().await.unwrap_err()
        };
        assert_eq!(told(&status), (Code::AlreadyExists, "no need to go on", None));
        say.closed().await;
        // All is well: the server only hears that no more of the request comes.
        assert_eq!(peer.expect_reset(stream).await, NO_ERROR);
    }
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_finds_a_caller_whose_request_has_no_room() {
    let mut script = Script::new();
    let call = call(&script.channel, named(&"x".repeat(200_000)));
    let mut peer = script.accept().await;
    peer.withhold_credit();
    let stream = peer.expect_headers().await.stream;
    peer.send_trailers(stream, &[HEAD, &[("grpc-status", "8")]].concat()).await;
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test(start_paused = true)]
async fn messages_leave_as_they_are_said_while_nobody_reads_the_answers() {
    const MANY: usize = 1000;
    let mut script = Script::new();
    let (call, say, mut peer, stream) = chat(&mut script).await;
    peer.send_headers(stream, HEAD).await;
    let mut replies = call.await.unwrap().unwrap().into_inner();
    for n in 0..MANY {
        speak(&say, &n.to_string());
    }
    drop(say);
    for n in 0..MANY {
        assert_eq!(name_in(peer.expect_message(stream).await), n.to_string());
        peer.send_message(stream, &reply("heard")).await;
    }
    peer.expect_end(stream).await;
    peer.send_trailers(stream, END).await;
    for _ in 0..MANY {
        assert_eq!(replies.message().await.unwrap().unwrap().message, "heard");
    }
    assert_eq!(replies.message().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_chat_whose_windows_are_full_both_ways_goes_on_when_somebody_reads() {
    const MANY: usize = 30_000;
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let name = "x".repeat(100);
    let names = (0..MANY).map(move |_| HelloRequest { name: name.clone() });
    let mut client = client(&fleet.to_one());
    let mut replies = client.chat(tokio_stream::iter(names)).await.unwrap().into_inner();
    // Until nothing moves any more.
    settle().await;
    let mut read = 0;
    while replies.message().await.unwrap().is_some() {
        read += 1;
    }
    assert_eq!(read, MANY);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_the_servers_window() {
    let mut script = Script::new();
    let call = call(&script.channel, named(&"x".repeat(100_000)));
    let mut peer = script.accept().await;
    peer.withhold_credit();
    let stream = peer.expect_headers().await.stream;
    let mut received = 0;
    while received < 65_535 {
        received += peer.expect_data(stream).await.bytes.len();
    }
    peer.expect_quiet(Duration::from_secs(1)).await;
    peer.send_window_update(0, 1_000_000).await;
    peer.send_window_update(stream, 1_000_000).await;
    let mut ended = false;
    while !ended {
        let data = peer.expect_data(stream).await;
        received += data.bytes.len();
        ended = data.end;
    }
    // The prefix, the tag, three bytes of length, and the name.
    assert_eq!(received, 5 + 1 + 3 + 100_000);
    answer(&mut peer, stream, "hello").await;
    assert_eq!(call.await.unwrap().unwrap().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_fails_its_calls_and_says_whose_it_was() {
    let mut script = Script::new();
    let (call, peer, _) = script.call().await;
    peer.close().await;
    let wire = WireError { who: Who::Network, processed: Processed::Maybe, kind: WireErrorKind::Closed };
    let text = format!("{ONE}: connection closed by the peer");
    assert_eq!(told(&call.await.unwrap().unwrap_err()), (Code::Unavailable, &*text, Some(LocalError::Wire(wire))));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_why_it_goes_away_is_quoted_by_the_calls_it_leaves() {
    const ENHANCE_YOUR_CALM: u32 = 11;
    let mut script = Script::new();
    let (call, mut peer, head) = script.call().await;
    peer.go_away(head.stream, ENHANCE_YOUR_CALM, "too much metadata").await;
    peer.close().await;
    let kind = WireErrorKind::GoAway { code: ENHANCE_YOUR_CALM, debug: "too much metadata".into() };
    let wire = WireError { who: Who::Peer, processed: Processed::Maybe, kind };
    let text = format!("{ONE}: connection going away with ENHANCE_YOUR_CALM: too much metadata");
    assert_eq!(told(&call.await.unwrap().unwrap_err()), (Code::Unavailable, &*text, Some(LocalError::Wire(wire))));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_before_its_settings_is_no_connection() {
    let mut script = Script::new();
    let call = call(&script.channel, named("ann"));
    drop(script.listener.accept().await);
    let status = call.await.unwrap().unwrap_err();
    let text = format!(
        "no backend of ipv4:{ONE} can be used: {ONE} HTTP/2 handshake: connection closed by the peer (next attempt in "
    );
    assert!(status.message().starts_with(&text), "{status:?}");
    assert_eq!((status.code(), LocalError::of(&status)), (Code::Unavailable, Some(&LocalError::NoBackend)));
}
