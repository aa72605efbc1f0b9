//! Transparent retry (A6): what the server says it did not process is sent again, and nothing else.

use std::time::Duration;

use thalweg::error::{LocalError, Processed, Who, WireError, WireErrorKind};
use thalweg_proto::demo::HelloRequest;
use thalweg_testkit::peer::Peer;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Request};

use crate::support::{
    call, client,
    fleet::ONE,
    named,
    script::{CANCEL, END, HEAD, REFUSED, Script, answer, name_in, reply},
    settle, told,
};

/// Reads a unary request to its end; the stream it came on.
async fn request(peer: &mut Peer, name: &str) -> u32 {
    let stream = peer.expect_headers().await.stream;
    assert_eq!(name_in(peer.expect_message(stream).await), name);
    peer.expect_end(stream).await;
    stream
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_once_is_sent_again_at_once() {
    let mut script = Script::new();
    let call = call(&script.channel, named("ann"));
    let mut peer = script.accept().await;
    let refused = request(&mut peer, "ann").await;
    peer.reset(refused, REFUSED).await;
    let again = request(&mut peer, "ann").await;
    assert_ne!(again, refused);
    answer(&mut peer, again, "hello").await;
    assert_eq!(call.await.unwrap().unwrap().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_twice_fails() {
    let mut script = Script::new();
    let call = call(&script.channel, named("ann"));
    let mut peer = script.accept().await;
    for _ in 0..2 {
        let stream = request(&mut peer, "ann").await;
        peer.reset(stream, REFUSED).await;
    }
    let wire = WireError { who: Who::Peer, processed: Processed::No, kind: WireErrorKind::Reset(REFUSED) };
    let text = format!("{ONE}: stream reset with REFUSED_STREAM");
    assert_eq!(told(&call.await.unwrap().unwrap_err()), (Code::Unavailable, &*text, Some(LocalError::Wire(wire))));
    settle().await;
    peer.expect_quiet(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_above_the_goaway_is_sent_again_on_a_new_connection_and_those_below_go_on() {
    let mut script = Script::new();
    let first = call(&script.channel, named("ann"));
    let mut old = script.accept().await;
    let below = request(&mut old, "ann").await;
    let second = call(&script.channel, named("bob"));
    request(&mut old, "bob").await;

    old.go_away(below, 0, "").await;
    let mut new = script.accept().await;
    let again = request(&mut new, "bob").await;
    answer(&mut new, again, "hello bob").await;
    assert_eq!(second.await.unwrap().unwrap().message, "hello bob");
    answer(&mut old, below, "hello ann").await;
    assert_eq!(first.await.unwrap().unwrap().message, "hello ann");
    old.expect_close().await;

    // The end of the old connection is no business of the new one.
    let third = call(&script.channel, named("cid"));
    let stream = request(&mut new, "cid").await;
    answer(&mut new, stream, "hello cid").await;
    assert_eq!(third.await.unwrap().unwrap().message, "hello cid");
    assert_eq!(script.listener.host().attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_stream_in_its_middle_is_replayed_and_goes_on() {
    let mut script = Script::new();
    let (say, names) = mpsc::unbounded_channel();
    let mut client = client(&script.channel);
    let call = tokio::spawn(async move { client.say_hello_to_all(UnboundedReceiverStream::new(names)).await });
    let speak = |name: &str| say.send(HelloRequest { name: name.into() }).unwrap();

    let mut old = script.accept().await;
    let stream = old.expect_headers().await.stream;
    for name in ["ann", "bob"] {
        speak(name);
        assert_eq!(name_in(old.expect_message(stream).await), name);
    }
    old.go_away(0, 0, "").await;
    let mut new = script.accept().await;
    let stream = new.expect_headers().await.stream;
    for name in ["ann", "bob"] {
        assert_eq!(name_in(new.expect_message(stream).await), name);
    }
    speak("cid");
    assert_eq!(name_in(new.expect_message(stream).await), "cid");
    drop(say);
    new.expect_end(stream).await;
    answer(&mut new, stream, "hello").await;
    assert_eq!(call.await.unwrap().unwrap().into_inner().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_sent_more_than_the_replay_buffer_is_not_sent_again() {
    for (size, again) in [(900, true), (1100, false)] {
        let mut script = Script::with(|builder| builder.replay_buffer(1000));
        let name = "x".repeat(size);
        let call = call(&script.channel, named(&name));
        let mut peer = script.accept().await;
        let stream = request(&mut peer, &name).await;
        peer.reset(stream, REFUSED).await;
        if again {
            let stream = request(&mut peer, &name).await;
            answer(&mut peer, stream, "hello").await;
            assert_eq!(call.await.unwrap().unwrap().message, "hello");
        } else {
            let status = call.await.unwrap().unwrap_err();
            let text = format!("{ONE}: stream reset with REFUSED_STREAM");
            assert_eq!((status.code(), status.message()), (Code::Unavailable, &*text));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_may_have_processed_is_not_sent_again() {
    let mut script = Script::new();
    for code in [0, 2, CANCEL, 11] {
        let call = call(&script.channel, named("ann"));
        let mut peer = script.accept().await;
        let stream = request(&mut peer, "ann").await;
        peer.reset(stream, code).await;
        call.await.unwrap().unwrap_err();
        peer.expect_quiet(Duration::from_secs(1)).await;
        peer.go_away(stream, 0, "").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_has_begun_is_not_asked_for_again() {
    let mut script = Script::new();
    let (call, mut peer, head) = script.call().await;
    peer.expect_message(head.stream).await;
    peer.send_headers(head.stream, HEAD).await;
    settle().await;
    peer.reset(head.stream, REFUSED).await;
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::Unavailable);
    peer.expect_quiet(Duration::from_secs(1)).await;
}

/// SETTINGS_INITIAL_WINDOW_SIZE.
const WINDOW: u16 = 4;

#[tokio::test(start_paused = true)]
async fn a_replay_that_is_answered_in_its_middle_sends_the_rest_once() {
    let mut script = Script::new();
    let (say, names) = mpsc::unbounded_channel();
    let mut client = client(&script.channel);
    let call = tokio::spawn(async move { client.chat(Request::new(UnboundedReceiverStream::new(names))).await });
    // Room for one message of ten bytes, and a little of the next.
    let mut peer = script.accept_with(&[(WINDOW, 12)]).await;
    let refused = peer.expect_headers().await.stream;
    for name in ["ann", "bob", "cid"] {
        say.send(HelloRequest { name: name.into() }).unwrap();
        assert_eq!(name_in(peer.expect_message(refused).await), name);
    }
    peer.reset(refused, REFUSED).await;
    let stream = peer.expect_headers().await.stream;
    peer.send_headers(stream, HEAD).await;
    let mut replies = call.await.unwrap().unwrap().into_inner();
    say.send(HelloRequest { name: "dot".into() }).unwrap();
    drop(say);
    for name in ["ann", "bob", "cid", "dot"] {
        assert_eq!(name_in(peer.expect_message(stream).await), name);
    }
    peer.expect_end(stream).await;
    peer.send_message(stream, &reply("hello")).await;
    peer.send_trailers(stream, END).await;
    assert_eq!(replies.message().await.unwrap().unwrap().message, "hello");
    assert_eq!(replies.message().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_before_a_call_is_sent_again_tells_why_it_had_to_be() {
    let mut script = Script::new();
    let mut request = named("ann");
    request.set_timeout(Duration::from_millis(200));
    let call = call(&script.channel, request);
    let mut peer = script.accept().await;
    peer.expect_headers().await;
    script.listener.host().black_hole();
    peer.go_away(0, 0, "").await;
    let text = format!("after 200ms: 200ms waiting for a READY backend ({ONE}: connection going away with NO_ERROR)");
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(told(&status), (Code::DeadlineExceeded, &*text, Some(LocalError::DeadlineExceeded)));
}
