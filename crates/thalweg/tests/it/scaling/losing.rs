//! One of several connections goes: by GOAWAY, by force, or as the last.

use thalweg::core::connectivity::Connectivity;
use tonic::Code;

use super::{MAX_STREAMS, SECOND, calls, connections, expect_success, read, scaled, serve, waits};
use crate::support::{
    call,
    fleet::{Fleet, ONE, ROUND_ROBIN, TWO},
    hello, named, pass,
    script::{NO_ERROR, Script, answer},
    settle,
};

#[tokio::test(start_paused = true)]
async fn a_goaway_on_one_connection_leaves_the_queue_and_the_others_as_they_are() {
    for drained in [0, 1] {
        let mut script = scaled(2);
        let mut all = calls(&script, &["a"]).await;
        let mut peers = vec![script.accept_with(&[(MAX_STREAMS, 1)]).await];
        let a = read(&mut peers[0], "a").await;
        all.extend(calls(&script, &["b"]).await);
        peers.push(script.accept_with(&[(MAX_STREAMS, 1)]).await);
        let b = read(&mut peers[1], "b").await;
        all.extend(calls(&script, &["c", "d", "e"]).await);
        peers[drained].go_away(1, NO_ERROR, "").await;
        // There is one connection too few now: the next takes its place.
        let mut third = script.accept_with(&[(MAX_STREAMS, 1)]).await;
        let c = read(&mut third, "c").await;
        assert_eq!((script.channel.state(), connections(&script), waits(&script).1), (Connectivity::Ready, 2, 2));
        let [one, two] = &mut peers[..] else { unreachable!() };
        answer(one, a, "hello").await;
        answer(two, b, "hello").await;
        let kept = if drained == 0 { two } else { one };
        serve(kept, "d").await;
        serve(kept, "e").await;
        answer(&mut third, c, "hello").await;
        expect_success(all).await;
        assert_eq!(script.listener.host().attempts(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_fails_its_own_calls_only() {
    let mut script = scaled(2);
    let mut first = calls(&script, &["a"]).await;
    let mut one = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    read(&mut one, "a").await;
    let mut all = calls(&script, &["b"]).await;
    let mut two = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    let b = read(&mut two, "b").await;
    all.extend(calls(&script, &["c"]).await);
    script.listener.host().refuse();
    drop(one);
    assert_eq!(first.remove(0).await.unwrap().unwrap_err().code(), Code::Unavailable);
    pass(SECOND / 2).await;
    assert_eq!((script.channel.state(), connections(&script), waits(&script).1), (Connectivity::Ready, 1, 1));
    answer(&mut two, b, "hello").await;
    serve(&mut two, "c").await;
    expect_success(all).await;
}

#[tokio::test(start_paused = true)]
async fn when_all_connections_are_lost_calls_in_the_queue_look_for_another_place() {
    let mut script = scaled(2);
    let first = calls(&script, &["a"]).await;
    let mut one = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    read(&mut one, "a").await;
    let second = calls(&script, &["b"]).await;
    let mut two = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    read(&mut two, "b").await;
    let waiting = calls(&script, &["c", "c"]).await;
    script.listener.host().cut();
    for lost in first.into_iter().chain(second) {
        assert_eq!(lost.await.unwrap().unwrap_err().code(), Code::Unavailable);
    }
    let mut next = script.accept().await;
    serve(&mut next, "c").await;
    serve(&mut next, "c").await;
    expect_success(waiting).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_connection_that_ends_while_another_is_made_leaves_the_channel_connecting() {
    let mut script = scaled(2);
    let first = calls(&script, &["a"]).await;
    let mut one = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    read(&mut one, "a").await;
    let waiting = calls(&script, &["b"]).await;
    // The second connection is there and has not said a word.
    let second = script.listener.accept().await;
    drop(one);
    settle().await;
    assert_eq!(script.channel.state(), Connectivity::Connecting);
    let mut two = thalweg_testkit::peer::Peer::new(second.io);
    two.expect_preface().await;
    two.send_settings(&[]).await;
    serve(&mut two, "b").await;
    expect_success(waiting).await;
    assert_eq!((script.channel.state(), script.listener.host().attempts()), (Connectivity::Ready, 2));
    drop(first);
}

#[tokio::test(start_paused = true)]
async fn the_last_connection_that_ends_while_another_backs_off_fails_calls_with_its_reason() {
    let mut script = scaled(2);
    let first = calls(&script, &["a"]).await;
    let mut one = script.accept_with(&[(MAX_STREAMS, 1)]).await;
    read(&mut one, "a").await;
    script.listener.host().refuse();
    let waiting = calls(&script, &["b"]).await;
    drop(one);
    for lost in first.into_iter().chain(waiting) {
        let status = lost.await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
    }
    assert_eq!(script.channel.state(), Connectivity::TransientFailure);
    let status = hello(&script.channel, "c").await.unwrap_err();
    assert!(status.message().contains(&format!("{ONE} connection refused")), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn calls_in_the_queue_of_a_backend_that_is_taken_off_the_list_go_to_another() {
    for moment in 0..40 {
        let fleet = Fleet::new();
        let one = fleet.start_with(ONE, |builder| builder.max_concurrent_streams(1)).await;
        let two = fleet.start(TWO).await;
        fleet.names.set(fleet.update(&[ONE]));
        let channel = fleet.builder("names:fleet").default_service_config(ROUND_ROBIN).build().unwrap();
        let hanging = call(&channel, named("hang"));
        settle().await;
        let waiting: Vec<_> = (0..3).map(|_| call(&channel, named("ann"))).collect();
        for _ in 0..moment {
            tokio::task::yield_now().await;
        }
        fleet.names.set(fleet.update(&[TWO]));
        for call in waiting {
            assert_eq!(call.await.unwrap().unwrap().backend, TWO, "after {moment} turns");
        }
        assert_eq!((one.calls(), two.calls()), (1, 3));
        hanging.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn calls_in_a_queue_may_go_to_a_backend_that_comes_later() {
    let fleet = Fleet::new();
    let one = fleet.start_with(ONE, |builder| builder.max_concurrent_streams(1)).await;
    let channel = fleet.to_each(&[ONE]);
    let hanging = call(&channel, named("hang"));
    settle().await;
    let waiting: Vec<_> = (0..4).map(|_| call(&channel, named("ann"))).collect();
    pass(SECOND).await;
    assert_eq!(waiting.iter().filter(|call| call.is_finished()).count(), 0);
    let two = fleet.start(TWO).await;
    fleet.names.set(fleet.update(&[ONE, TWO]));
    pass(SECOND).await;
    // The policy has its say again: in turn.
    assert_eq!((two.calls(), channel.subchannel_stats().iter().map(|s| s.calls_waiting).sum::<usize>()), (2, 2));
    hanging.abort();
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    assert_eq!(one.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn calls_that_find_all_backends_full_line_up_at_each_of_them_in_turn() {
    let fleet = Fleet::new();
    let limited = |builder: thalweg::server::ServerBuilder| builder.max_concurrent_streams(1);
    let backends = [fleet.start_with(ONE, limited).await, fleet.start_with(TWO, limited).await];
    let channel = fleet.to_each(&[ONE, TWO]);
    channel.ready().await;
    settle().await;
    let hanging: Vec<_> = (0..2).map(|_| call(&channel, named("hang"))).collect();
    settle().await;
    assert_eq!(backends.iter().map(|backend| backend.present()).collect::<Vec<_>>(), [1, 1]);
    let _waiting: Vec<_> = (0..6).map(|_| call(&channel, named("ann"))).collect();
    settle().await;
    let waiting: Vec<_> = channel.subchannel_stats().iter().map(|stats| stats.calls_waiting).collect();
    assert_eq!(waiting, [3, 3]);
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn a_call_at_any_moment_of_the_loss_of_one_connection_succeeds() {
    for moment in 0..60 {
        let mut script: Script = scaled(2);
        let a = calls(&script, &["a"]).await;
        let mut one = script.accept_with(&[(MAX_STREAMS, 1)]).await;
        let stream = read(&mut one, "a").await;
        let b = calls(&script, &["b"]).await;
        let mut two = script.accept_with(&[(MAX_STREAMS, 1)]).await;
        serve(&mut two, "b").await;
        answer(&mut one, stream, "hello").await;
        expect_success(a.into_iter().chain(b)).await;
        one.go_away(1, NO_ERROR, "").await;
        for _ in 0..moment {
            tokio::task::yield_now().await;
        }
        let again = [call(&script.channel, named("c"))];
        serve(&mut two, "c").await;
        expect_success(again).await;
    }
}
