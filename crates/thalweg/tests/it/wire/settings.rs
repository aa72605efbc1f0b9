//! SETTINGS count from the moment they come, whenever that is.

use std::time::Duration;

use thalweg_testkit::peer::Peer;
use tokio::time::timeout;
use tonic::Code;

use super::{FRAME_SIZE, INITIAL, LARGEST, LIST_SIZE, MAX_STREAMS, TABLE_SIZE, WINDOW, read_request};
use crate::support::{
    call,
    fleet::ONE,
    named,
    script::{CANCEL, Outcome, Script, answer, name_in},
    send, settle,
};

/// Reads a whole unary request. Its stream, and the name in it.
async fn read(peer: &mut Peer) -> (u32, String) {
    let stream = peer.expect_headers().await.stream;
    let name = name_in(peer.expect_message(stream).await);
    peer.expect_end(stream).await;
    (stream, name)
}

/// Answers the next call, which is by this name.
async fn expect(peer: &mut Peer, name: &str) {
    let (stream, found) = read(peer).await;
    assert_eq!(found, name);
    answer(peer, stream, "hello").await;
}

/// Unary calls that begin one after the other.
async fn calls(script: &Script, names: &[&str]) -> Vec<Outcome> {
    let mut calls = vec![];
    for name in names {
        calls.push(call(&script.channel, named(name)));
        settle().await;
    }
    calls
}

async fn expect_success(calls: Vec<Outcome>) {
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().message, "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_room_go_in_their_order() {
    let mut script = Script::new();
    let first = call(&script.channel, named("0"));
    let mut peer = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let (stream, _) = read(&mut peer).await;
    let names: Vec<String> = (1..=30).map(|n| n.to_string()).collect();
    let waiting = calls(&script, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    peer.expect_quiet(Duration::from_secs(1)).await;
    answer(&mut peer, stream, "hello").await;
    for name in &names {
        expect(&mut peer, name).await;
    }
    expect_success(waiting).await;
    first.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_call_that_comes_later_overtakes_one_that_waits_for_room() {
    let mut script = Script::new();
    let first = call(&script.channel, named("first"));
    let mut peer = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let (stream, _) = read(&mut peer).await;
    let mut waiting = calls(&script, &["ann", "bob"]).await;
    // The room is free as these come, and nobody has had the time to take it.
    answer(&mut peer, stream, "hello").await;
    waiting.extend(["cid", "dot"].map(|name| call(&script.channel, named(name))));
    for name in ["ann", "bob", "cid", "dot"] {
        expect(&mut peer, name).await;
    }
    waiting.push(first);
    expect_success(waiting).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gives_up_its_place_lets_the_next_one_have_it() {
    let mut script = Script::new();
    let first = call(&script.channel, named("first"));
    let mut peer = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let (stream, _) = read(&mut peer).await;
    let mut waiting = calls(&script, &["ann", "bob", "cid", "dot"]).await;
    waiting.remove(2).abort();
    waiting.remove(0).abort();
    settle().await;
    answer(&mut peer, stream, "hello").await;
    expect(&mut peer, "bob").await;
    expect(&mut peer, "dot").await;
    waiting.push(first);
    expect_success(waiting).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_allows_fewer_calls_ends_none_and_gets_no_more() {
    let mut script = Script::new();
    let mut all = calls(&script, &["ann", "bob", "cid"]).await;
    let mut peer = script.accept().await;
    let mut streams = vec![];
    for _ in 0..3 {
        streams.push(read(&mut peer).await.0);
    }
    peer.send_settings(&[(MAX_STREAMS, 2)]).await;
    settle().await;
    all.extend(calls(&script, &["dot", "eve"]).await);
    answer(&mut peer, streams[0], "hello").await;
    peer.expect_quiet(Duration::from_secs(1)).await;
    answer(&mut peer, streams[1], "hello").await;
    let (dot, name) = read(&mut peer).await;
    assert_eq!(name, "dot");
    peer.expect_quiet(Duration::from_secs(1)).await;
    answer(&mut peer, streams[2], "hello").await;
    answer(&mut peer, dot, "hello").await;
    expect(&mut peer, "eve").await;
    expect_success(all).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_allows_no_call_keeps_them_waiting_within_their_deadlines() {
    let mut script = Script::new();
    let patient = call(&script.channel, named("patient"));
    let mut peer = script.accept_with(&[(MAX_STREAMS, 0)]).await;
    let mut hasty = named("hasty");
    hasty.set_timeout(Duration::from_secs(5));
    let status = send(&script.channel, hasty).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let text = format!(
        "after 5s: 0ns waiting for a READY backend, 5s waiting for a stream on {ONE}: the connection is full (0 streams)"
    );
    assert_eq!(status.message(), text);
    peer.expect_quiet(Duration::from_secs(60)).await;
    peer.send_settings(&[(MAX_STREAMS, 100)]).await;
    expect(&mut peer, "patient").await;
    expect_success(vec![patient]).await;
}

#[tokio::test(start_paused = true)]
async fn all_calls_that_wait_go_when_the_server_allows_them() {
    let mut script = Script::new();
    let all: Vec<_> = (0..50).map(|_| call(&script.channel, named("ann"))).collect();
    let mut peer = script.accept_with(&[(MAX_STREAMS, 0)]).await;
    peer.expect_quiet(Duration::from_secs(1)).await;
    peer.send_settings(&[(MAX_STREAMS, 1000)]).await;
    let mut streams = vec![];
    for _ in 0..50 {
        streams.push(read_request(&mut peer).await);
    }
    for stream in streams {
        answer(&mut peer, stream, "hello").await;
    }
    expect_success(all).await;
}

#[tokio::test(start_paused = true)]
async fn a_window_that_shrinks_below_what_was_used_has_to_open_again() {
    let mut script = Script::new();
    let call = call(&script.channel, named(&"x".repeat(100_000)));
    let mut peer = script.accept_with(&[(WINDOW, 50_000)]).await;
    peer.withhold_credit();
    let stream = peer.expect_headers().await.stream;
    let mut received = 0;
    while received < 50_000 {
        received += peer.expect_data(stream).await.bytes.len();
    }
    peer.send_window_update(0, LARGEST - INITIAL).await;
    peer.send_settings(&[(WINDOW, 0)]).await;
    // It is 50,000 below nothing now.
    peer.send_window_update(stream, 50_000).await;
    peer.expect_quiet(Duration::from_secs(1)).await;
    peer.send_window_update(stream, 1).await;
    assert_eq!(peer.expect_data(stream).await.bytes.len(), 1);
    peer.send_settings(&[(WINDOW, 10)]).await;
    assert_eq!(peer.expect_data(stream).await.bytes.len(), 10);
    peer.expect_quiet(Duration::from_secs(1)).await;
    peer.send_settings(&[(WINDOW, LARGEST - 50_001)]).await;
    while !peer.expect_data(stream).await.end {}
    answer(&mut peer, stream, "hello").await;
    assert_eq!(call.await.unwrap().unwrap().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn frames_are_as_large_as_the_server_takes_them_at_the_time() {
    let mut script = Script::new();
    let call = call(&script.channel, named(&"x".repeat(1_000_000)));
    let mut peer = script.accept_with(&[(WINDOW, 40_000), (FRAME_SIZE, 30_000)]).await;
    peer.withhold_credit();
    peer.send_window_update(0, LARGEST - INITIAL).await;
    let stream = peer.expect_headers().await.stream;
    assert_eq!(peer.expect_data(stream).await.bytes.len(), 30_000);
    assert_eq!(peer.expect_data(stream).await.bytes.len(), 10_000);
    for size in [16_384, 100_000, 20_000] {
        peer.send_settings(&[(FRAME_SIZE, size)]).await;
        peer.send_window_update(stream, size + 1).await;
        assert_eq!(peer.expect_data(stream).await.bytes.len(), size as usize);
        assert_eq!(peer.expect_data(stream).await.bytes.len(), 1);
    }
    call.abort();
    assert_eq!(peer.expect_reset(stream).await, CANCEL);
}

#[tokio::test(start_paused = true)]
async fn metadata_keep_to_the_size_that_the_server_accepts_at_the_time() {
    let mut script = Script::new();
    let begun = calls(&script, &["ann"]).await;
    let mut peer = script.accept().await;
    expect(&mut peer, "ann").await;
    expect_success(begun).await;
    for (limit, fits) in [(100, false), (100_000, true), (1000, false), (2000, true)] {
        peer.send_settings(&[(LIST_SIZE, limit)]).await;
        settle().await;
        let mut request = named("bob");
        request.metadata_mut().insert("x-long", "x".repeat(1000).parse().unwrap());
        let call = call(&script.channel, request);
        if fits {
            expect(&mut peer, "bob").await;
            expect_success(vec![call]).await;
        } else {
            assert_eq!(call.await.unwrap().unwrap_err().code(), Code::ResourceExhausted, "{limit}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn headers_are_understood_whatever_becomes_of_the_servers_table() {
    let mut script = Script::new();
    let begun = calls(&script, &["ann"]).await;
    let mut peer = script.accept().await;
    expect(&mut peer, "ann").await;
    expect_success(begun).await;
    for size in [0, 4096, 100, 0, 70, 4096] {
        peer.send_settings(&[(TABLE_SIZE, size)]).await;
        settle().await;
        for n in 0..4 {
            let mut request = named("bob");
            request.metadata_mut().insert("x-same", "again and again".parse().unwrap());
            request.metadata_mut().insert("x-other", n.to_string().parse().unwrap());
            let call = call(&script.channel, request);
            let head = peer.expect_headers().await;
            assert_eq!(head.headers.get(":path"), Some("/thalweg.demo.v1.Greeter/SayHello"));
            assert_eq!(head.headers.get("x-same"), Some("again and again"));
            assert_eq!(head.headers.get("x-other"), Some(&*n.to_string()));
            answer(&mut peer, head.stream, "hello").await;
            expect_success(vec![call]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_settings_at_once_are_acknowledged_once() {
    let mut script = Script::new();
    let call = call(&script.channel, named("ann"));
    let mut peer = script.accept().await;
    peer.expect_settings_ack().await;
    let all = [(TABLE_SIZE, 0), (2, 0), (MAX_STREAMS, 5), (WINDOW, 99_999), (FRAME_SIZE, 99_999), (LIST_SIZE, 99_999)];
    peer.send_settings(&all).await;
    peer.expect_settings_ack().await;
    expect(&mut peer, "ann").await;
    expect_success(vec![call]).await;
    assert!(timeout(Duration::from_secs(1), peer.expect_settings_ack()).await.is_err());
}
