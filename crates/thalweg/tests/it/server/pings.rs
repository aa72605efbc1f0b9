//! What clients may ping (A8), frame by frame.

use std::time::Duration;

use thalweg::transport::keepalive::KeepaliveEnforcement;
use thalweg_testkit::peer::Peer;

use super::fixture::{Event, SAY_HELLO, World, hello, settle};
use crate::support::pass;

const ENHANCE_YOUR_CALM: u32 = 11;
const MINUTE: Duration = Duration::from_secs(60);

/// A client with a connection.
async fn connect(world: &World) -> Peer {
    let mut peer = Peer::new(world.pipe().await);
    peer.send_preface(&[]).await;
    peer.expect_settings().await;
    peer
}

/// Pings, and is answered.
async fn ping(peer: &mut Peer) {
    peer.ping(*b"are you?").await;
    assert_eq!(peer.expect_pong().await, *b"are you?");
}

/// Is told what it did, and cut off.
async fn expect_calm(peer: &mut Peer, last_stream: u32) {
    let away = peer.expect_go_away().await;
    assert_eq!(
        (away.code, &away.debug[..], away.last_stream),
        (ENHANCE_YOUR_CALM, &b"too_many_pings"[..], last_stream)
    );
    peer.expect_close().await;
}

/// A call in flight that takes for ever.
async fn hang(world: &mut World, peer: &mut Peer) -> u32 {
    let stream = peer.send_request(SAY_HELLO, &[]).await;
    peer.send_data(stream, &hello("hang")).await;
    peer.send_end(stream).await;
    assert!(matches!(world.event().await, Event::Started));
    stream
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pings_too_often_is_told_so_and_cut_off() {
    let mut world = World::plain().await;
    let mut peer = connect(&world).await;
    let stream = hang(&mut world, &mut peer).await;
    for _ in 0..3 {
        ping(&mut peer).await;
        pass(4 * MINUTE).await;
    }
    peer.ping([0; 8]).await;
    expect_calm(&mut peer, stream).await;
    assert!(matches!(world.event().await, Event::Dropped));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pings_for_its_calls_as_often_as_it_may_is_left_alone() {
    let mut world = World::plain().await;
    let mut peer = connect(&world).await;
    hang(&mut world, &mut peer).await;
    for _ in 0..20 {
        ping(&mut peer).await;
        pass(5 * MINUTE).await;
    }
    peer.expect_quiet(MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_without_calls_may_ping_only_once_in_two_hours() {
    let world = World::plain().await;
    let mut peer = connect(&world).await;
    for _ in 0..3 {
        ping(&mut peer).await;
        pass(6 * MINUTE).await;
    }
    peer.ping([0; 8]).await;
    expect_calm(&mut peer, 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_may_permit_more_pings() {
    let rules = KeepaliveEnforcement { min_time: Duration::from_secs(10), permit_without_calls: true };
    let world = World::new(|server| server.keepalive_enforcement(rules)).await;
    let mut peer = connect(&world).await;
    for _ in 0..20 {
        ping(&mut peer).await;
        pass(Duration::from_secs(10)).await;
    }
    peer.expect_quiet(MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_gets_answers_may_ping_for_them() {
    let world = World::plain().await;
    let mut peer = connect(&world).await;
    for _ in 0..20 {
        let stream = peer.send_request(SAY_HELLO, &[]).await;
        peer.send_data(stream, &hello("ann")).await;
        peer.send_end(stream).await;
        peer.expect_headers_on(stream).await;
        peer.expect_message(stream).await;
        assert!(peer.expect_headers_on(stream).await.end);
        ping(&mut peer).await;
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_gets_a_large_answer_may_ping_for_each_piece() {
    let world = World::plain().await;
    let mut peer = connect(&world).await;
    peer.withhold_credit();
    let stream = peer.send_request(SAY_HELLO, &[]).await;
    peer.send_data(stream, &hello("large")).await;
    peer.send_end(stream).await;
    peer.expect_headers_on(stream).await;
    for _ in 0..20 {
        peer.send_window_update(0, 1000).await;
        peer.send_window_update(stream, 1000).await;
        ping(&mut peer).await;
        settle().await;
    }
    assert_eq!(world.handle.connection_stats().len(), 1);
}
