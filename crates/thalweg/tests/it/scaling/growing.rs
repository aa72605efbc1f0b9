//! When another connection is made, and when not.

use std::time::Duration;

use thalweg::{
    channel::{BuildError, ConnectionScaling, ScalingError},
    core::backoff::BackoffConfig,
};
use thalweg_testkit::peer::Peer;

use super::{MAX_STREAMS, SECOND, calls, connections, expect_success, most, read, scaled, serve, waits};
use crate::support::{
    call,
    fleet::{Fleet, ONE},
    hello, named, pass,
    script::{Script, answer},
    settle, until,
};

/// A channel with a call on its first connection, which takes no more.
async fn full(script: &mut Script) -> (Peer, u32, Vec<crate::support::script::Outcome>) {
    let first = call(&script.channel, named("first"));
    let mut peer = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let stream = read(&mut peer, "first").await;
    (peer, stream, vec![first])
}

#[tokio::test(start_paused = true)]
async fn call_101_makes_a_second_connection_and_is_served() {
    let fleet = Fleet::new();
    let one = fleet.start_with(ONE, |builder| builder.max_concurrent_streams(100)).await;
    let channel = fleet.builder(&format!("ipv4:{ONE}")).default_service_config(most(2)).build().unwrap();
    let hanging: Vec<_> = (0..100).map(|_| call(&channel, named("hang"))).collect();
    settle().await;
    assert_eq!((one.present(), one.host.connections().len()), (100, 1));
    assert_eq!(hello(&channel, "ann").await.unwrap().message, "hello ann");
    assert_eq!(one.host.connections().len(), 2);
    let stats = channel.subchannel_stats();
    assert_eq!((stats[0].max_connections, stats[0].calls_queued, stats[0].calls_waiting), (2, 1, 0));
    let seen: Vec<_> = stats[0].connections.iter().map(|c| (c.calls, c.max_concurrent_streams)).collect();
    assert_eq!(seen, [(100, 100), (0, 100)]);
    assert_eq!(channel.connection_stats().len(), 2);
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn without_a_word_in_the_service_config_there_is_one_connection() {
    let mut script = Script::new();
    let (mut peer, stream, mut all) = full(&mut script).await;
    all.extend(calls(&script, &["ann", "bob"]).await);
    peer.expect_quiet(60 * SECOND).await;
    assert_eq!((script.listener.host().attempts(), connections(&script), waits(&script)), (1, 1, (2, 2)));
    answer(&mut peer, stream, "hello").await;
    serve(&mut peer, "ann").await;
    serve(&mut peer, "bob").await;
    expect_success(all).await;
    assert_eq!(waits(&script), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn connections_are_made_one_after_the_other_as_long_as_calls_wait() {
    let mut script = scaled(10);
    let (mut one, first, mut all) = full(&mut script).await;
    all.extend(calls(&script, &["ann", "bob", "cid"]).await);
    assert_eq!(script.listener.host().attempts(), 2, "one attempt at a time");
    let mut two = script.accept_with(&[(MAX_STREAMS, 2)]).await;
    let (ann, bob) = (read(&mut two, "ann").await, read(&mut two, "bob").await);
    let mut three = script.accept_with(&[(MAX_STREAMS, 2)]).await;
    let cid = read(&mut three, "cid").await;
    settle().await;
    assert_eq!((script.listener.host().attempts(), connections(&script)), (3, 3), "nobody waits");
    answer(&mut one, first, "hello").await;
    answer(&mut two, ann, "hello").await;
    answer(&mut two, bob, "hello").await;
    answer(&mut three, cid, "hello").await;
    expect_success(all).await;
    // The oldest with room comes first.
    let again = calls(&script, &["dot", "eve", "fay", "gus"]).await;
    serve(&mut one, "dot").await;
    serve(&mut two, "eve").await;
    serve(&mut two, "fay").await;
    serve(&mut three, "gus").await;
    expect_success(again).await;
    assert_eq!(waits(&script).0, 3);
}

#[tokio::test(start_paused = true)]
async fn no_more_connections_are_made_than_there_may_be() {
    let limited = |limit| {
        Script::with(|builder| {
            let scaling = ConnectionScaling { limit, ..ConnectionScaling::default() };
            builder.default_service_config(most(50)).connection_scaling(scaling)
        })
    };
    for (mut script, expected) in [(scaled(3), 3), (scaled(0), 1), (scaled(50), 10), (limited(2), 2), (limited(20), 20)]
    {
        let all: Vec<_> = (0..25).map(|_| call(&script.channel, named("ann"))).collect();
        let mut peers = vec![];
        for _ in 0..expected {
            let mut peer = script.accept_with(&[(MAX_STREAMS, 1)]).await;
            let stream = read(&mut peer, "ann").await;
            peers.push((peer, stream));
        }
        pass(60 * SECOND).await;
        assert_eq!(script.listener.host().attempts(), expected);
        assert_eq!((connections(&script), waits(&script).1), (expected, 25 - expected));
        assert_eq!(script.channel.subchannel_stats()[0].max_connections as usize, expected);
        all.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_connection_that_fails_disturbs_nobody_and_backs_off() {
    let backoff = BackoffConfig { jitter: 0.0, ..BackoffConfig::default() };
    let mut script = Script::with(|builder| builder.default_service_config(most(2)).backoff(backoff));
    let (mut one, first, mut all) = full(&mut script).await;
    let host = script.listener.host().clone();
    host.refuse();
    all.extend(calls(&script, &["ann"]).await);
    let begun = tokio::time::Instant::now();
    let mut tried = vec![];
    while tried.len() < 4 {
        let before = host.attempts();
        until("another attempt", Duration::from_millis(10), || host.attempts() != before).await;
        tried.push(begun.elapsed().as_millis() / 100);
    }
    // 1 s, 1.6 s and so on after each other, by the first attempt, which was made a moment before.
    assert_eq!(tried, [10, 26, 51, 92]);
    assert_eq!(script.channel.state(), thalweg::core::connectivity::Connectivity::Ready);
    // The first connection goes on, and so does the queue.
    answer(&mut one, first, "hello").await;
    serve(&mut one, "ann").await;
    expect_success(all).await;
    // Nobody waits any more: no further attempt.
    let attempts = host.attempts();
    pass(60 * SECOND).await;
    assert_eq!(host.attempts(), attempts);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_is_told_why_there_is_no_stream() {
    let mut script = scaled(2);
    let (_one, _, _all) = full(&mut script).await;
    script.listener.host().refuse();
    let mut hasty = named("hasty");
    hasty.set_timeout(Duration::from_millis(1500));
    let status = crate::support::send(&script.channel, hasty).await.unwrap_err();
    let text = format!(
        "after 1.5s: 0ns waiting for a READY backend, 1.5s waiting for a stream on {ONE}: the connection is full \
         (1 stream), and another one cannot be made: connection refused"
    );
    assert_eq!((status.code(), status.message()), (tonic::Code::DeadlineExceeded, &*text));
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_is_forgotten_once_another_has_succeeded() {
    let mut script = scaled(2);
    let (_one, _, _all) = full(&mut script).await;
    script.listener.host().refuse();
    let _more = calls(&script, &["ann"]).await;
    script.listener.host().heal();
    let mut two = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    two.expect_headers().await;
    let mut hasty = named("hasty");
    hasty.set_timeout(SECOND);
    let status = crate::support::send(&script.channel, hasty).await.unwrap_err();
    assert!(status.message().ends_with("all 2 connections are full (1 stream each)"), "{}", status.message());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_in_the_queue_says_how_full_all_connections_are() {
    for (second, expected) in
        [(1, "all 2 connections are full (1 stream each)"), (2, "all 2 connections are full (1, 2 streams)")]
    {
        let mut script = scaled(2);
        let (_one, _, _all) = full(&mut script).await;
        let _more = calls(&script, &["ann", "bob"][..second]).await;
        let mut two = script.accept_with(&[(MAX_STREAMS, second as u32)]).await;
        two.expect_headers().await;
        settle().await;
        let mut hasty = named("hasty");
        hasty.set_timeout(Duration::from_millis(1200));
        let status = crate::support::send(&script.channel, hasty).await.unwrap_err();
        let text =
            format!("after 1.2s: 0ns waiting for a READY backend, 1.2s waiting for a stream on {ONE}: {expected}");
        assert_eq!(status.message(), text);
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_in_the_queue_is_in_the_account_of_a_call_that_was_sent_too() {
    let mut script = Script::new();
    let (mut one, first, all) = full(&mut script).await;
    let mut slow = named("slow");
    slow.set_timeout(2 * SECOND);
    let slow = call(&script.channel, slow);
    pass(SECOND).await;
    answer(&mut one, first, "hello").await;
    read(&mut one, "slow").await;
    let status = slow.await.unwrap().unwrap_err();
    let text = format!(
        "after 2s: 0ns waiting for a READY backend, 1s waiting for a stream on {ONE}, 1s waiting for response headers \
         from {ONE}"
    );
    assert_eq!(status.message(), text);
    expect_success(all).await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_may_begin_with_several_connections_and_keeps_them() {
    let scaling = ConnectionScaling { initial: 3, ..ConnectionScaling::default() };
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.builder(&format!("ipv4:{ONE}")).connection_scaling(scaling).build().unwrap();
    assert_eq!(hello(&channel, "ann").await.unwrap().message, "hello ann");
    settle().await;
    assert_eq!(one.host.connections().len(), 3);
    one.host.connections()[1].cut();
    settle().await;
    assert_eq!((one.host.connections().len(), one.host.attempts()), (3, 4));
    assert_eq!(channel.subchannel_stats()[0].max_connections, 3);
}

#[test]
fn options_out_of_their_range_are_refused() {
    let build = |scaling| thalweg::Channel::builder("ipv4:10.0.0.1:1").connection_scaling(scaling).build().map(drop);
    let usual = ConnectionScaling::default();
    let error = |scaling| match build(scaling) {
        Err(BuildError::Scaling(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(error(ConnectionScaling { limit: 0, ..usual }), ScalingError::Limit);
    assert_eq!(error(ConnectionScaling { initial: 0, ..usual }), ScalingError::Initial { initial: 0, limit: 10 });
    assert_eq!(error(ConnectionScaling { initial: 11, ..usual }), ScalingError::Initial { initial: 11, limit: 10 });
    assert_eq!(error(ConnectionScaling { idle_timeout: Some(Duration::ZERO), ..usual }), ScalingError::IdleTimeout);
}
