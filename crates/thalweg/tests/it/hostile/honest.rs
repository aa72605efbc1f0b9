//! Honest peers who do a lot of what attackers do: nothing happens to them.

use std::time::Duration;

use thalweg::transport::options::Http2Options;
use thalweg_testkit::wire::{
    frame::{END_HEADERS, END_STREAM, Kind},
    hpack,
};
use tonic::Code;

use super::{
    answer_to, attacked,
    bytes::{data, frame, ping, request, request_block, reset, settings, streams, window_update},
    greet,
};
use crate::{
    server::fixture::{Answer, SAY_HELLO, TO_ALL, World, hello, post},
    support::{
        call,
        fleet::{Fleet, ONE},
        named, pass,
        script::{CANCEL, END, HEAD, Script, answer, reply},
        settle,
    },
};

#[tokio::test(start_paused = true)]
async fn ten_thousand_calls_given_up_within_a_second_end_no_connection() {
    let (world, mut client) = attacked(|server| server).await;
    let ids: Vec<u32> = streams(10_000).collect();
    for ten in ids.chunks(10) {
        let begun: Vec<u8> =
            ten.iter().flat_map(|id| [request(*id), data(*id, END_STREAM, &hello("hang"))].concat()).collect();
        client.storm(&begun).await;
        pass(Duration::from_millis(1)).await;
        client.storm(&ten.iter().flat_map(|id| reset(*id, CANCEL)).collect::<Vec<_>>()).await;
    }
    settle().await;
    let [connection] = world.handle.connection_stats()[..] else { panic!("one connection") };
    assert_eq!((connection.counters.resets_received, connection.calls), (10_000, 0));
}

#[tokio::test(start_paused = true)]
async fn nine_hundred_calls_given_up_at_once_end_no_connection() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    let calls: Vec<_> = (0..900).map(|_| call(&channel, named("hang"))).collect();
    settle().await;
    assert_eq!(one.present(), 900);
    calls.iter().for_each(tokio::task::JoinHandle::abort);
    settle().await;
    assert_eq!(one.present(), 0);
    assert_eq!(call(&channel, named("ann")).await.unwrap().unwrap().message, "hello ann");
    assert_eq!(one.host.attempts(), 1);
    let [connection] = channel.connection_stats()[..] else { panic!("one connection") };
    assert_eq!((connection.counters.resets_sent, connection.counters.streams_failed), (900, 900));
    assert_eq!((connection.counters.streams_started, connection.counters.streams_succeeded), (901, 1));
}

#[tokio::test(start_paused = true)]
async fn answers_under_way_to_thousands_of_calls_that_were_given_up_end_no_connection() {
    const MANY: usize = 6000;
    let mut script = Script::new();
    let calls: Vec<_> = (0..MANY).map(|_| call(&script.channel, named("ann"))).collect();
    let mut peer = script.accept().await;
    for _ in 0..MANY {
        peer.expect_headers().await;
    }
    calls.iter().for_each(tokio::task::JoinHandle::abort);
    settle().await;
    let end = [HEAD, END].concat();
    let answers = streams(MANY as u32).flat_map(|id| {
        let trailers = frame(Kind::Headers, END_HEADERS | END_STREAM, id, &hpack::encode(&end[2..]));
        [frame(Kind::Headers, END_HEADERS, id, &hpack::encode(HEAD)), data(id, 0, &reply("late")), trailers].concat()
    });
    peer.storm(&answers.collect::<Vec<_>>()).await;
    let next = call(&script.channel, named("bob"));
    let stream = peer.expect_headers().await.stream;
    answer(&mut peer, stream, "hello bob").await;
    assert_eq!(next.await.unwrap().unwrap().message, "hello bob");
}

#[tokio::test(start_paused = true)]
async fn pings_in_small_bursts_after_each_answer_end_no_connection() {
    let (world, mut client) = attacked(|server| server).await;
    for _ in 0..1000 {
        assert_eq!(greet(&mut client).await, "0");
        client.send_raw(&ping().repeat(3)).await;
        for _ in 0..3 {
            client.expect_pong().await;
        }
    }
    assert_eq!(world.handle.connection_stats().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn fifty_thousand_messages_of_a_byte_end_no_connection() {
    let (_world, mut client) = attacked(|server| server).await;
    let stream = client.send_request(TO_ALL, &[]).await;
    // Each message is empty: a prefix of five bytes, in a frame of its own.
    client.storm(&data(stream, 0, &[0; 5]).repeat(50_000)).await;
    client.send_end(stream).await;
    assert_eq!(answer_to(&mut client, stream).await, "0");
}

#[tokio::test(start_paused = true)]
async fn fifty_thousand_messages_in_two_pieces_of_a_few_bytes_end_no_connection() {
    let (_world, mut client) = attacked(|server| server).await;
    let stream = client.send_request(TO_ALL, &[]).await;
    let message = hello("x");
    let (prefix, rest) = message.split_at(5);
    client.storm(&[data(stream, 0, prefix), data(stream, 0, rest)].concat().repeat(50_000)).await;
    client.send_end(stream).await;
    assert_eq!(answer_to(&mut client, stream).await, "0");

    let mut script = Script::new();
    let (outcome, mut peer, head) = script.call().await;
    let reply = reply(&"x".repeat(120_000));
    let message = [&[0][..], &(reply.len() as u32).to_be_bytes(), &reply].concat();
    peer.send_headers(head.stream, HEAD).await;
    let pieces = message.chunks(13).flat_map(|piece| data(head.stream, 0, piece));
    peer.storm(&pieces.collect::<Vec<_>>()).await;
    peer.send_trailers(head.stream, END).await;
    assert_eq!(outcome.await.unwrap().unwrap().message.len(), 120_000);
}

#[tokio::test(start_paused = true)]
async fn little_useless_work_ends_no_connection() {
    let (world, mut client) = attacked(|server| server).await;
    let storms = [
        settings(&[(4, 70_000)]).repeat(90),
        frame(Kind::Priority, 0, 1, &[0; 5]).repeat(4000),
        frame(Kind::Unknown(0xbe), 0, 0, b"grease").repeat(4000),
        window_update(0, 1).repeat(9000),
    ];
    for storm in storms {
        client.storm(&storm).await;
        assert_eq!(greet(&mut client).await, "0");
    }
    assert_eq!(world.handle.connection_stats().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_head_in_sixty_five_frames_is_a_head() {
    let (_world, mut client) = attacked(|server| server).await;
    let block = request_block();
    let (first, rest) = block.split_at(10);
    let (middle, last) = rest.split_at(63);
    let mut storm = frame(Kind::Headers, 0, 1, first);
    for byte in middle {
        storm.extend(frame(Kind::Continuation, 0, 1, &[*byte]));
    }
    storm.extend(frame(Kind::Continuation, END_HEADERS, 1, last));
    storm.extend(data(1, END_STREAM, &hello("ann")));
    client.storm(&storm).await;
    assert_eq!(answer_to(&mut client, 1).await, "0");
}

#[tokio::test(start_paused = true)]
async fn metadata_up_to_the_limit_are_read() {
    let world = World::plain().await;
    let mut client = super::connect(&world).await;
    let head: usize = [(":method", "POST"), (":scheme", "http"), (":path", SAY_HELLO), (":authority", "test")]
        .iter()
        .chain(&[("te", "trailers"), ("content-type", "application/grpc")])
        .map(|(name, value)| name.len() + value.len() + 32)
        .sum();
    let value = "x".repeat((64 << 10) - head - "x-long".len() - 32);
    for (value, code) in [(value.clone(), "0"), (value + "x", "8")] {
        let stream = client.send_request(SAY_HELLO, &[("x-long", &value)]).await;
        client.send_data(stream, &hello("ann")).await;
        client.send_end(stream).await;
        assert_eq!(answer_to(&mut client, stream).await, code);
    }
    assert_eq!(world.connect().await.call(SAY_HELLO, hello("bob")).await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn metadata_within_a_limit_that_was_raised_are_taken() {
    let http2 = Http2Options { max_header_list_size: 4 << 20, ..Http2Options::default() };
    let world = World::new(|server| server.http2(http2)).await;
    let mut client = world.connect().await;
    let large = post(SAY_HELLO).header("x-large", "x".repeat(1_700_000));
    let response = client.ask(large, hello("ann")).await;
    assert_eq!(Answer::of(response).await.unwrap().code(), Code::Ok);
}
