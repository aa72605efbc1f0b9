//! How connections end, and what becomes of the calls on them.

use std::time::Duration;

use thalweg::error::{LocalError, Processed};
use thalweg_testkit::peer::Peer;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::{INITIAL, LARGEST, WINDOW, ask, read_request};
use crate::{
    server::fixture::{Event, SAY_HELLO, TO_ALL, World, hello},
    support::{
        call, named, pass,
        script::{CANCEL, HEAD, NO_ERROR, Script, answer, reply},
        settle,
    },
};

/// Whether the server has seen the call, as far as the client knows.
fn processed(status: &Status) -> Processed {
    match LocalError::of(status) {
        Some(LocalError::Wire(wire)) => wire.processed,
        other => panic!("{other:?}: {status:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn each_call_on_a_lost_connection_knows_what_became_of_it() {
    let mut script = Script::new();
    let answered = ask(&script);
    let mut peer = script.accept().await;
    let first = read_request(&mut peer).await;
    let unanswered = call(&script.channel, named("ann"));
    let second = read_request(&mut peer).await;
    let above = call(&script.channel, named("bob"));
    read_request(&mut peer).await;
    peer.send_headers(first, HEAD).await;
    peer.send_message(first, &reply("hello")).await;
    let mut replies = answered.await.unwrap().unwrap();
    assert_eq!(replies.message().await.unwrap().unwrap().message, "hello");

    peer.go_away(second, 2, "the machine is on fire").await;
    let mut new = script.accept().await;
    let again = read_request(&mut new).await;
    answer(&mut new, again, "hello bob").await;
    assert_eq!(above.await.unwrap().unwrap().message, "hello bob");

    peer.close().await;
    let status = unanswered.await.unwrap().unwrap_err();
    assert_eq!((status.code(), processed(&status)), (Code::Unavailable, Processed::Maybe));
    assert!(status.message().contains("INTERNAL_ERROR: the machine is on fire"), "{status:?}");
    let status = replies.message().await.unwrap_err();
    assert_eq!((status.code(), processed(&status)), (Code::Unavailable, Processed::Yes));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_headers_never_left_goes_elsewhere() {
    let mut script = Script::new();
    let blocking = call(&script.channel, named(&"x".repeat(4 << 20)));
    let mut peer = script.accept_with(&[(WINDOW, LARGEST)]).await;
    peer.send_window_update(0, LARGEST - INITIAL).await;
    settle().await;
    // The pipe is full: what is said from here on stays where it is.
    let unsent = call(&script.channel, named("ann"));
    settle().await;
    script.listener.host().cut();
    let status = blocking.await.unwrap().unwrap_err();
    assert_eq!((status.code(), processed(&status)), (Code::Unavailable, Processed::Maybe));
    let mut new = script.accept().await;
    let stream = read_request(&mut new).await;
    answer(&mut new, stream, "hello ann").await;
    assert_eq!(unsent.await.unwrap().unwrap().message, "hello ann");
}

#[tokio::test(start_paused = true)]
async fn a_goaway_that_lowers_its_last_stream_again_sends_more_calls_elsewhere() {
    let mut script = Script::new();
    let calls: Vec<_> = (0..3).map(|_| call(&script.channel, named("ann"))).collect();
    let mut old = script.accept().await;
    for _ in 0..3 {
        read_request(&mut old).await;
    }
    old.go_away(LARGEST, 0, "").await;
    settle().await;
    old.go_away(1, 0, "").await;
    let mut new = script.accept().await;
    for _ in 0..2 {
        let stream = read_request(&mut new).await;
        answer(&mut new, stream, "hello").await;
    }
    answer(&mut old, 1, "hello").await;
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().message, "hello");
    }
    old.expect_close().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_front_of_the_goaway_counts() {
    let mut script = Script::new();
    let (outcome, mut peer, head) = script.call().await;
    answer(&mut peer, head.stream, "hello").await;
    peer.go_away(0, 11, "too_many_pings").await;
    peer.close().await;
    assert_eq!(outcome.await.unwrap().unwrap().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_dropped_at_rest_says_goodbye_at_once() {
    let mut script = Script::new();
    let (outcome, mut peer, head) = script.call().await;
    answer(&mut peer, head.stream, "hello").await;
    outcome.await.unwrap().unwrap();
    drop(script.channel);
    let dropped = Instant::now();
    let away = peer.expect_go_away().await;
    assert_eq!((away.code, away.last_stream), (NO_ERROR, 0));
    peer.expect_close().await;
    // Long before the time is up that last words have.
    assert!(dropped.elapsed() < Duration::from_millis(500), "{:?}", dropped.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_dropped_while_it_writes_says_goodbye_when_it_has_written() {
    let mut script = Script::new();
    let (first, mut peer, head) = script.call().await;
    answer(&mut peer, head.stream, "hello").await;
    first.await.unwrap().unwrap();
    peer.send_settings(&[(WINDOW, LARGEST)]).await;
    peer.send_window_update(0, LARGEST - INITIAL).await;
    settle().await;
    // More than the pipe takes.
    let outcome = call(&script.channel, named(&"x".repeat(4 << 20)));
    settle().await;
    outcome.abort();
    drop(script.channel);
    let dropped = Instant::now();
    pass(Duration::from_millis(300)).await;
    // Now it is read, up to the reset of the call.
    peer.silence().await;
    assert!(dropped.elapsed() < Duration::from_millis(500), "{:?}", dropped.elapsed());
    let [.., cancel, goodbye, _end] = peer.transcript() else { panic!("nothing came") };
    assert!(cancel.contains("Reset") && goodbye.contains("GoAway"), "{cancel} {goodbye}");
}

/// A client that has greeted the server and does nothing by itself.
async fn connect(world: &World) -> Peer {
    let mut client = Peer::new(world.pipe().await);
    client.send_preface(&[]).await;
    client.expect_settings().await;
    client.expect_settings_ack().await;
    client.mute();
    client.withhold_credit();
    client
}

/// Begins a call. Its stream.
async fn begin(client: &mut Peer, name: &str) -> u32 {
    let stream = client.send_request(SAY_HELLO, &[]).await;
    client.send_data(stream, &hello(name)).await;
    client.send_end(stream).await;
    stream
}

#[tokio::test(start_paused = true)]
async fn a_server_says_goodbye_in_two_steps() {
    let mut world = World::plain().await;
    let mut client = connect(&world).await;
    let slow = begin(&mut client, "slow").await;
    assert!(matches!(world.event().await, Event::Started));
    let handle = world.handle.clone();
    let stop = tokio::spawn(async move { handle.graceful_stop(Duration::from_secs(60)).await });
    let away = client.expect_go_away().await;
    assert_eq!((away.last_stream, away.code), (LARGEST, NO_ERROR));
    let ping = client.expect_ping().await;

    // It was under way when the server said so, and is served.
    let crossing = begin(&mut client, "ann").await;
    client.expect_headers_on(crossing).await;
    client.expect_message(crossing).await;
    assert_eq!(client.expect_headers_on(crossing).await.headers.get("grpc-status"), Some("0"));

    client.pong(ping).await;
    let away = client.expect_go_away().await;
    assert_eq!((away.last_stream, away.code), (crossing, NO_ERROR));
    // This client does not listen: nobody serves it any more.
    let late = begin(&mut client, "bob").await;
    client.expect_headers_on(slow).await;
    client.expect_message(slow).await;
    assert_eq!(client.expect_headers_on(slow).await.headers.get("grpc-status"), Some("0"));
    client.expect_close().await;
    assert!(!client.transcript().iter().any(|line| line.contains(&format!("on stream {late} :status"))));
    stop.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_client_goes_on_to_say_after_an_early_answer_is_given_back_and_no_offence() {
    let world = World::plain().await;
    let mut client = connect(&world).await;
    let stream = client.send_request(TO_ALL, &[("x-mode", "early")]).await;
    let head = client.expect_headers_on(stream).await;
    assert_eq!((head.headers.get("grpc-status"), head.end), (Some("6"), true));
    assert_eq!(client.expect_reset(stream).await, NO_ERROR);
    let announced = client.expect_window_update(0).await;
    assert_eq!(announced, (1 << 20) - INITIAL);
    for _ in 0..8 {
        client.send_data(stream, &[0; 16_384].repeat(16)).await;
        settle().await;
    }
    client.send_end(stream).await;
    client.reset(stream, CANCEL).await;
    let mut returned = 0;
    while returned < 3 << 19 {
        returned += client.expect_window_update(0).await;
    }
    let next = begin(&mut client, "ann").await;
    client.expect_headers_on(next).await;
    client.expect_message(next).await;
    assert_eq!(client.expect_headers_on(next).await.headers.get("grpc-status"), Some("0"));
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_crosses_the_answer_harms_nobody() {
    let world = World::plain().await;
    let mut client = connect(&world).await;
    for _ in 0..100 {
        let stream = begin(&mut client, "ann").await;
        client.expect_headers_on(stream).await;
        client.expect_message(stream).await;
        client.expect_headers_on(stream).await;
        client.reset(stream, CANCEL).await;
        client.send_window_update(stream, 10).await;
    }
    let counters = world.handle.connection_stats()[0].counters;
    assert_eq!((counters.streams_succeeded, counters.streams_failed, counters.stream_errors), (100, 0, 0));
}
