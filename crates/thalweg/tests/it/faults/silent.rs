//! Peers that say nothing: black holes, stalls, servers that accept and never answer.

use std::time::Duration;

use thalweg::{
    core::connectivity::Connectivity,
    error::{LocalError, Processed, Who, WireError, WireErrorKind},
    transport::keepalive::Keepalive,
};
use tokio::time::Instant;
use tonic::Code;

use crate::support::{
    call,
    fleet::{Fleet, ONE, TWO},
    hello, named, pass,
    script::{Script, answer},
    settle, told,
};

const SECOND: Duration = Duration::from_secs(1);

fn keepalive() -> Keepalive {
    Keepalive { time: Some(10 * SECOND), ..Keepalive::default() }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_vanishes_is_found_by_keepalive_and_its_calls_say_so() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.builder(&format!("ipv4:{ONE}")).keepalive(keepalive()).build().unwrap();
    hello(&channel, "ann").await.unwrap();
    let begun = Instant::now();
    let lost = call(&channel, named("hang"));
    settle().await;
    one.host.half_open();
    let status = lost.await.unwrap().unwrap_err();
    let wire = WireError { who: Who::Local, processed: Processed::Maybe, kind: WireErrorKind::KeepaliveTimedOut };
    let text = format!("{ONE}: keepalive ping not answered in time");
    assert_eq!(told(&status), (Code::Unavailable, &*text, Some(LocalError::Wire(wire))));
    // A ping after ten silent seconds, and twenty more to answer it.
    assert_eq!(begun.elapsed().as_secs(), 30);
    settle().await;
    assert_eq!(channel.state(), Connectivity::Idle);
    one.host.heal();
    assert_eq!(hello(&channel, "ann").await.unwrap().message, "hello ann");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_vanished_while_nothing_was_asked_of_it_is_found_by_the_next_call() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.builder(&format!("ipv4:{ONE}")).keepalive(keepalive()).build().unwrap();
    hello(&channel, "ann").await.unwrap();
    pass(60 * SECOND).await;
    one.host.half_open();
    pass(60 * SECOND).await;
    let begun = Instant::now();
    let status = hello(&channel, "bob").await.unwrap_err();
    let text = format!("{ONE}: keepalive ping not answered in time");
    assert_eq!((status.code(), status.message()), (Code::Unavailable, &*text));
    assert!((20..=30).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_pinged_after_the_keepalive_time_and_lives_on_if_it_answers() {
    let mut script = Script::with(|builder| builder.keepalive(keepalive()));
    let (call, mut peer, head) = script.call().await;
    peer.expect_message(head.stream).await;
    let begun = Instant::now();
    for pings in 1..=10 {
        peer.expect_ping().await;
        assert_eq!(begun.elapsed().as_secs(), pings * 10);
    }
    answer(&mut peer, head.stream, "hello").await;
    assert_eq!(call.await.unwrap().unwrap().message, "hello");
    // Without calls there are no pings.
    let ping = tokio::time::timeout(50 * SECOND, peer.expect_ping()).await;
    assert!(ping.is_err(), "{ping:?}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_pinged_if_keepalive_says_so() {
    let mut script = Script::with(|builder| builder.keepalive(Keepalive { while_idle: true, ..keepalive() }));
    script.channel.connect();
    let mut peer = script.accept().await;
    let begun = Instant::now();
    for pings in 1..=3 {
        peer.expect_ping().await;
        assert_eq!(begun.elapsed().as_secs(), pings * 10);
    }
    peer.mute();
    peer.expect_ping().await;
    peer.expect_close().await;
    assert_eq!(begun.elapsed().as_secs(), 60);
    assert_eq!(script.channel.state(), Connectivity::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_keepalive_time_below_ten_seconds_counts_as_ten() {
    let hasty = Keepalive { time: Some(SECOND), while_idle: true, ..Keepalive::default() };
    let mut script = Script::with(|builder| builder.keepalive(hasty));
    script.channel.connect();
    let mut peer = script.accept().await;
    let begun = Instant::now();
    peer.expect_ping().await;
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn without_keepalive_nobody_pings() {
    let mut script = Script::new();
    let (_call, mut peer, head) = script.call().await;
    peer.expect_message(head.stream).await;
    let ping = tokio::time::timeout(50 * SECOND, peer.expect_ping()).await;
    assert!(ping.is_err(), "{ping:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_never_answers_is_given_up_after_twenty_seconds() {
    let mut script = Script::new();
    let begun = Instant::now();
    let call = call(&script.channel, named("ann"));
    let _silent = script.listener.accept().await;
    let status = call.await.unwrap().unwrap_err();
    let text = format!(
        "no backend of ipv4:{ONE} can be used: {ONE} waiting for the server's HTTP/2 settings took longer than 20s"
    );
    assert_eq!(told(&status), (Code::Unavailable, &*text, Some(LocalError::NoBackend)));
    assert_eq!(begun.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_swallows_packets_is_given_up_after_twenty_seconds() {
    let fleet = Fleet::new();
    fleet.network.host(ONE).black_hole();
    let channel = fleet.to_one();
    let begun = Instant::now();
    let status = hello(&channel, "ann").await.unwrap_err();
    let text = format!("no backend of ipv4:{ONE} can be used: {ONE} connecting took longer than 20s");
    assert_eq!(told(&status), (Code::Unavailable, &*text, Some(LocalError::NoBackend)));
    assert_eq!(begun.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_swallows_packets_keeps_the_next_one_waiting_for_a_quarter_of_a_second() {
    let fleet = Fleet::new();
    fleet.network.host(ONE).black_hole();
    let _two = fleet.start(TWO).await;
    let channel = fleet.builder(&format!("ipv4:{ONE},{TWO}")).build().unwrap();
    let begun = Instant::now();
    assert_eq!(hello(&channel, "ann").await.unwrap().backend, TWO);
    assert_eq!(begun.elapsed().as_millis(), 250);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_stalls_goes_on_when_the_network_heals() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    channel.ready().await;
    one.host.stall();
    let waiting = call(&channel, named("ann"));
    pass(60 * SECOND).await;
    assert!(!waiting.is_finished());
    one.host.heal();
    assert_eq!(waiting.await.unwrap().unwrap().message, "hello ann");
}
