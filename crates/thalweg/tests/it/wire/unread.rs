//! Streams that nobody reads hold up nobody else.

use std::time::Duration;

use bytes::Bytes;
use thalweg::transport::options::Http2Options;
use thalweg_proto::demo::HelloReply;
use thalweg_testkit::{
    network::Network,
    peer::Peer,
    stub::{Stub, StubServer},
};
use tokio::{task::JoinHandle, time::timeout};
use tonic::{Status, Streaming};

use super::{INITIAL, ask, read_request};
use crate::{
    server::fixture::{TO_ALL, World, hello},
    support::{
        call,
        fleet::ONE,
        named,
        script::{HEAD, Script, answer, reply},
        settle,
    },
};

/// What a stream may hold without counting against its connection.
const UNCOUNTED: usize = 64 << 10;
/// A stream's window.
const WINDOW: usize = 512 << 10;
/// The prefix of a message that is longer than all that comes of it.
const ENDLESS: [u8; 5] = [0, 0, 0x30, 0, 0];

/// Streams of replies that nobody reads, each with as much as its window takes.
async fn unread(script: &mut Script, count: usize) -> (Vec<Streaming<HelloReply>>, Peer) {
    let first = ask(script);
    let mut peer = script.accept().await;
    let mut streams = vec![open(&mut peer, first).await];
    while streams.len() < count {
        streams.push(open(&mut peer, ask(script)).await);
    }
    settle().await;
    (streams, peer)
}

/// Answers a call with a part of a message that fills its window.
async fn open(peer: &mut Peer, call: JoinHandle<Result<Streaming<HelloReply>, Status>>) -> Streaming<HelloReply> {
    let stream = read_request(peer).await;
    peer.send_headers(stream, HEAD).await;
    let replies = call.await.unwrap().unwrap();
    fill(peer, stream).await;
    replies
}

/// Sends a part of a message that fills the stream's window.
async fn fill(peer: &mut Peer, stream: u32) {
    peer.send_data(stream, &ENDLESS).await;
    peer.send_data(stream, &vec![0; WINDOW - ENDLESS.len()]).await;
}

/// Another call is served.
async fn expect_service(script: &Script, peer: &mut Peer) {
    let other = call(&script.channel, named("bob"));
    let stream = read_request(peer).await;
    answer(peer, stream, &"x".repeat(300_000)).await;
    assert_eq!(other.await.unwrap().unwrap().message.len(), 300_000);
}

#[tokio::test(start_paused = true)]
async fn full_streams_that_nobody_reads_hold_up_no_other_call() {
    for count in [2, 10] {
        let mut script = Script::new();
        let (_streams, mut peer) = unread(&mut script, count).await;
        for _ in 0..20 {
            expect_service(&script, &mut peer).await;
        }
        let [connection] = script.channel.connection_stats()[..] else { panic!("one connection") };
        assert_eq!(connection.unread, count * (WINDOW - UNCOUNTED));
        let credit = timeout(Duration::from_secs(1), peer.expect_window_update(1)).await;
        assert!(credit.is_err(), "nobody has read, and {credit:?} was given back");
    }
}

/// Beyond 256 pieces what comes is copied, until some are read.
#[tokio::test(start_paused = true)]
async fn many_pieces_that_wait_are_read_as_they_were_sent() {
    let mut script = Script::new();
    let texts: Vec<String> = ('a'..='x').map(|letter| format!("{letter}{}", "0123456789".repeat(20_000))).collect();
    let (mut peer, mut calls) = (None, vec![]);
    for _ in &texts {
        let call = ask(&script);
        let peer = match &mut peer {
            Some(peer) => peer,
            none => none.insert(script.accept().await),
        };
        let stream = read_request(peer).await;
        peer.send_headers(stream, HEAD).await;
        calls.push((stream, call.await.unwrap().unwrap()));
    }
    let mut peer = peer.unwrap();
    for round in 0..3 {
        for ((stream, _), text) in calls.iter().zip(&texts) {
            peer.send_message(*stream, &reply(text)).await;
            peer.send_message(*stream, &reply("short")).await;
        }
        settle().await;
        for ((_, replies), text) in calls.iter_mut().zip(&texts) {
            assert!(replies.message().await.unwrap().unwrap().message == *text, "round {round}");
            assert_eq!(replies.message().await.unwrap().unwrap().message, "short");
        }
        settle().await;
    }
    let [connection] = script.channel.connection_stats()[..] else { panic!("one connection") };
    assert_eq!(connection.unread, 0);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_the_connection_waits_until_somebody_reads_or_gives_up() {
    const COUNT: usize = 6;
    for gives_up in [false, true] {
        let http2 = Http2Options { max_unread: 2 << 20, ..Http2Options::default() };
        let mut script = Script::with(|builder| builder.http2(http2));
        let (mut streams, mut peer) = unread(&mut script, COUNT).await;
        let mut allowed = INITIAL as usize;
        while let Ok(bytes) = timeout(Duration::from_secs(1), peer.expect_window_update(0)).await {
            allowed += bytes as usize;
        }
        let left = allowed - COUNT * WINDOW;
        assert!(left < 1 << 19, "at least half of the window is withheld: {left} are left");
        let [connection] = script.channel.connection_stats()[..] else { panic!("one connection") };
        assert_eq!((connection.receive_window, connection.unread), (left as i64, COUNT * (WINDOW - UNCOUNTED)));

        let mut read = streams.drain(..2).collect::<Vec<_>>();
        for stream in &mut read {
            assert!(gives_up || timeout(Duration::from_secs(1), stream.message()).await.is_err());
        }
        if gives_up {
            drop(read);
        }
        settle().await;
        let [connection] = script.channel.connection_stats()[..] else { panic!("one connection") };
        assert_eq!((connection.receive_window, connection.unread), (1 << 20, (COUNT - 2) * (WINDOW - UNCOUNTED)));
        assert_eq!(peer.expect_window_update(0).await as usize, (1 << 20) - left);
        expect_service(&script, &mut peer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn handlers_that_do_not_read_hold_up_no_other_call() {
    let world = World::plain().await;
    let mut client = Peer::new(world.pipe().await);
    client.send_preface(&[]).await;
    client.expect_settings().await;
    for _ in 0..10 {
        let stream = client.send_request(TO_ALL, &[("x-mode", "ignore")]).await;
        fill(&mut client, stream).await;
        settle().await;
    }
    let [connection] = world.handle.connection_stats()[..] else { panic!("one connection") };
    assert_eq!((connection.calls, connection.unread), (10, 10 * (WINDOW - UNCOUNTED)));
    let stream = client.send_request(TO_ALL, &[]).await;
    client.send_data(stream, &hello("ann")).await;
    client.send_end(stream).await;
    client.expect_headers_on(stream).await;
    client.expect_message(stream).await;
    assert_eq!(client.expect_headers_on(stream).await.headers.get("grpc-status"), Some("0"));
}

/// A server whose streams have as many messages as the client takes, of 10,000 bytes.
async fn endless(network: &Network) -> StubServer {
    let stub = Stub::new().streaming("/s/Endless", |_| async {
        let message = Bytes::from(vec![7; 10_000]);
        Ok(tonic::Response::new(tokio_stream::iter(std::iter::repeat_with(move || Ok(message.clone())))))
    });
    stub.serve(network.listen(ONE)).await
}

#[tokio::test(start_paused = true)]
async fn a_fast_stream_runs_beside_slow_ones() {
    let network = Network::new();
    let _server = endless(&network).await;
    let channel = thalweg::Channel::builder(format!("ipv4:{ONE}")).connector(network.clone()).build().unwrap();
    let open = async || {
        let mut grpc = tonic::client::Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static("/s/Endless");
        let request = tonic::Request::new(tokio_stream::empty::<Bytes>());
        grpc.streaming(request, path, thalweg_testkit::stub::RawCodec).await.unwrap().into_inner()
    };
    let mut slow = vec![open().await, open().await, open().await];
    settle().await;
    let mut fast = open().await;
    for _ in 0..2000 {
        assert_eq!(fast.message().await.unwrap().unwrap().len(), 10_000);
    }
    for stream in &mut slow {
        assert_eq!(stream.message().await.unwrap().unwrap().len(), 10_000);
    }
}
