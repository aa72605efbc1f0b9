//! What outlives connections: how many there were, how they ended, which rules their peers broke, and what all of them did.

use std::time::Duration;

use thalweg::{
    Channel,
    transport::{
        counters::{ConnectionTotals, Counters, Rule},
        keepalive::Keepalive,
    },
};
use thalweg_testkit::{
    peer::Peer,
    wire::frame::{END_HEADERS, Kind, PREFACE},
};
use tokio::io::AsyncWriteExt;

use super::{
    attacked,
    bytes::{block, data, frame, head_alone, ping, request, request_block, reset, settings, streams, window_update},
    connect, expect_goodbye, greet,
};
use crate::{
    server::fixture::World,
    support::{
        call,
        fleet::{Fleet, ONE, Running},
        hello, named, pass,
        script::Script,
        settle,
    },
};

const S: Duration = Duration::from_secs(1);

/// How many connections were opened; and closed by this side, closed by the other, broken, silent, condemned.
fn ends(totals: &ConnectionTotals) -> (u64, [u64; 5]) {
    let ConnectionTotals { opened, closed, closed_by_peer, broken, silent, condemned, .. } = *totals;
    (opened, [closed, closed_by_peer, broken, silent, condemned])
}

fn violations(totals: &ConnectionTotals) -> Vec<(Rule, u64)> {
    totals.violations.iter().collect()
}

#[tokio::test(start_paused = true)]
async fn a_server_counts_by_which_rule_a_client_was_cut_off() {
    let begun = frame(Kind::Headers, 0, 1, &request_block());
    let more = |bytes: usize, times| frame(Kind::Continuation, 0, 1, &vec![0; bytes]).repeat(times);
    let on_streams = |piece: fn(u32) -> Vec<u8>| streams(1100).flat_map(piece).collect::<Vec<_>>();
    let storms = [
        (Rule::EarlyResets, on_streams(|id| [request(id), reset(id, 8)].concat())),
        (Rule::StreamErrors, on_streams(|id| [request(id), window_update(id, 0)].concat())),
        (Rule::Continuations, [begun.clone(), more(0, 70)].concat()),
        (Rule::HeaderList, [begun, more(16_384, 17)].concat()),
        (Rule::Settings, settings(&[]).repeat(150)),
        (Rule::IdleFrames, frame(Kind::Priority, 0, 1, &[0; 5]).repeat(10_100)),
        (Rule::TinyData, [request(1), data(1, 0, &[0, 0, 1, 0, 0]), data(1, 0, b"x").repeat(10_100)].concat()),
        (Rule::WindowUpdates, window_update(0, 1).repeat(10_100)),
        (Rule::Pings, ping().repeat(100)),
        (Rule::FrameSize, head_alone(Kind::Headers, 16_385, 1)),
        (Rule::FlowControl, window_update(0, (1 << 31) - 1)),
        (Rule::Compression, block(1, 0, &[0x80])),
        (Rule::Protocol, frame(Kind::Continuation, END_HEADERS, 1, &[])),
    ];
    for (rule, storm) in storms {
        let (world, mut client) = attacked(|server| server).await;
        client.storm(&storm).await;
        expect_goodbye(&mut client).await;
        settle().await;
        let totals = world.handle.connection_totals();
        assert_eq!((violations(&totals), ends(&totals)), (vec![(rule, 1)], (1, [0, 0, 0, 0, 1])));
        assert!(world.handle.connection_stats().is_empty(), "{rule:?}");
        assert_eq!(greet(&mut connect(&world).await).await, "0");
        assert_eq!(world.handle.connection_totals().opened, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_counts_by_which_rule_a_server_was_left() {
    let mut script = Script::new();
    for attempt in 1..=3 {
        let outcome = call(&script.channel, named("ann"));
        let mut peer = script.accept().await;
        peer.expect_headers().await;
        peer.storm(&window_update(0, (1 << 31) - 1)).await;
        outcome.await.unwrap().unwrap_err();
        expect_goodbye(&mut peer).await;
        settle().await;
        let totals = script.channel.connection_totals();
        assert_eq!(
            (violations(&totals), ends(&totals)),
            (vec![(Rule::FlowControl, attempt)], (attempt, [0, 0, 0, 0, attempt]))
        );
        assert_eq!((totals.counters.streams_started, totals.counters.streams_failed), (attempt, attempt));
    }
}

/// A server, and a channel to it that pings.
async fn pair(fleet: &Fleet) -> (Running, Channel) {
    let one = fleet.start(ONE).await;
    let keepalive = Keepalive { time: Some(10 * S), ..Keepalive::default() };
    let channel = fleet.builder(&format!("ipv4:{ONE}")).keepalive(keepalive).build().unwrap();
    hello(&channel, "ann").await.unwrap();
    (one, channel)
}

#[tokio::test(start_paused = true)]
async fn the_ways_in_which_connections_end_are_counted_on_both_sides() {
    let fleet = Fleet::new();
    let (one, channel) = pair(&fleet).await;
    let seen = || (ends(&channel.connection_totals()), ends(&one.handle.connection_totals()));
    assert_eq!(seen(), ((1, [0; 5]), (1, [0; 5])));

    one.host.cut();
    settle().await;
    assert_eq!(seen(), ((1, [0, 0, 1, 0, 0]), (1, [0, 0, 1, 0, 0])));

    hello(&channel, "ann").await.unwrap();
    let lost = call(&channel, named("hang"));
    settle().await;
    one.host.half_open();
    lost.await.unwrap().unwrap_err();
    settle().await;
    assert_eq!(seen().0, (2, [0, 0, 1, 1, 0]));
    one.host.heal();

    hello(&channel, "ann").await.unwrap();
    drop(channel);
    settle().await;
    let (opened, [_, closed_by_peer, ..]) = ends(&one.handle.connection_totals());
    assert_eq!((opened, closed_by_peer), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_counts_the_connections_that_it_closes_and_the_clients_that_have_vanished() {
    let keepalive = Keepalive { time: Some(20 * S), timeout: 5 * S, while_idle: true };
    let world = World::new(|server| server.max_connection_idle(10 * S).keepalive(keepalive)).await;
    let mut client = connect(&world).await;
    client.expect_close().await;
    settle().await;
    assert_eq!(ends(&world.handle.connection_totals()), (1, [1, 0, 0, 0, 0]));

    let world = World::new(|server| server.keepalive(keepalive)).await;
    let mut client = connect(&world).await;
    client.mute();
    client.expect_ping().await;
    pass(7 * S).await;
    assert_eq!(ends(&world.handle.connection_totals()), (1, [0, 0, 0, 1, 0]));
}

/// Writes are counted with the next one, if there is one.
fn but_writes(counters: Counters) -> Counters {
    Counters { writes: 0, ..counters }
}

#[tokio::test(start_paused = true)]
async fn what_a_connection_did_is_not_lost_with_it() {
    let fleet = Fleet::new();
    let (one, channel) = pair(&fleet).await;
    let first = channel.connection_stats()[0].counters;
    assert_eq!(channel.connection_totals().counters, first, "one that is open counts");
    one.host.cut();
    settle().await;
    assert!(channel.connection_stats().is_empty());
    assert_eq!(but_writes(channel.connection_totals().counters), but_writes(first));
    hello(&channel, "bob").await.unwrap();
    hello(&channel, "bob").await.unwrap();
    settle().await;

    let (mut sum, totals) = (first, channel.connection_totals().counters);
    sum.add(&channel.connection_stats()[0].counters);
    assert_eq!(but_writes(totals), but_writes(sum));
    assert_eq!((totals.streams_succeeded, totals.messages_sent, totals.messages_received), (3, 3, 3));
    let served = one.handle.connection_totals().counters;
    assert_eq!((served.streams_succeeded, served.messages_sent, served.messages_received), (3, 3, 3));
    assert_eq!((served.bytes_received, served.bytes_sent), (totals.bytes_sent, totals.bytes_received));
}

#[tokio::test(start_paused = true)]
async fn handshakes_that_fail_or_take_too_long_are_counted_apart() {
    let world = World::new(|server| server.handshake_timeout(7 * S)).await;
    let counted = || {
        let totals = world.handle.connection_totals();
        assert_eq!(ends(&totals), (0, [0; 5]));
        (totals.failed_handshakes, violations(&totals))
    };
    drop(world.pipe().await);
    settle().await;
    assert_eq!(counted(), (1, vec![]));

    let mut silent = world.pipe().await;
    silent.write_all(PREFACE).await.unwrap();
    pass(8 * S).await;
    assert_eq!(counted(), (2, vec![(Rule::Handshake, 1)]));

    let mut old = Peer::new(world.pipe().await);
    old.mute();
    old.storm(b"GET / HTTP/1.1\r\n\r\n").await;
    expect_goodbye(&mut old).await;
    settle().await;
    assert_eq!(counted(), (3, vec![(Rule::Handshake, 1), (Rule::Protocol, 1)]));
}

#[tokio::test(start_paused = true)]
async fn servers_whose_handshakes_fail_are_counted_and_those_that_cannot_be_reached_are_not() {
    let mut script = Script::new();
    let counted = |script: &Script| {
        let totals = script.channel.connection_totals();
        assert_eq!(ends(&totals), (0, [0; 5]));
        (totals.failed_handshakes, violations(&totals))
    };
    let silent = call(&script.channel, named("ann"));
    let _peer = script.listener.accept().await;
    silent.await.unwrap().unwrap_err();
    settle().await;
    assert_eq!(counted(&script), (1, vec![(Rule::Handshake, 1)]));

    let old = call(&script.channel, named("ann"));
    let mut peer = Peer::new(script.listener.accept().await.io);
    peer.expect_preface().await;
    peer.storm(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    old.await.unwrap().unwrap_err();
    expect_goodbye(&mut peer).await;
    settle().await;
    assert_eq!(counted(&script), (2, vec![(Rule::Handshake, 1), (Rule::Protocol, 1)]));

    script.listener.host().refuse();
    pass(60 * S).await;
    assert_eq!(counted(&script).0, 2);
}
