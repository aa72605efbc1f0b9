//! Peers that do nothing, or too little: half a handshake, answers that they don't read, windows that they keep shut.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use thalweg::{
    server::ServerBuilder,
    transport::{counters::Rule, keepalive::KeepaliveEnforcement, options::Http2Options},
};
use thalweg_testkit::{
    peer::Peer,
    wire::frame::{END_STREAM, PREFACE},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout},
};
use tonic::body::Body;

use super::{
    CALM, answer_to, attacked,
    bytes::{data, headers, ping, settings, settings_ack, streams, whole_request},
    connect, expect_goodbye, greet,
};
use crate::{
    server::fixture::{REPEATEDLY, SAY_HELLO, TO_ALL, World, hello, repeat, settle},
    support::{call, named, pass, script::Script},
};

const S: Duration = Duration::from_secs(1);
/// SETTINGS_INITIAL_WINDOW_SIZE.
const INITIAL_WINDOW_SIZE: u16 = 4;

#[tokio::test(start_paused = true)]
async fn half_a_handshake_is_given_up_at_its_time() {
    let world = World::new(|server| server.handshake_timeout(7 * S)).await;
    let preface_alone = PREFACE.to_vec();
    let half_settings = [PREFACE, &settings(&[(4, 1)])[..12]].concat();
    let acknowledgement_alone = [PREFACE, &settings_ack()].concat();
    for said in [vec![], PREFACE[..10].to_vec(), preface_alone, half_settings, acknowledgement_alone] {
        let begun = Instant::now();
        let mut pipe = world.pipe().await;
        pipe.write_all(&said).await.unwrap();
        pipe.read_to_end(&mut vec![]).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 7, "{:?}", said.escape_ascii().to_string());
    }
    assert!(world.handle.connection_stats().is_empty());
    assert_eq!(greet(&mut connect(&world).await).await, "0");
}

#[tokio::test(start_paused = true)]
async fn a_preface_without_settings_is_answered_and_ends_the_connection() {
    let world = World::plain().await;
    let mut client = Peer::new(world.pipe().await);
    client.mute();
    client.storm(&[PREFACE, &whole_request(1)].concat()).await;
    let text = "the first frame is HEADERS on stream 1 instead of SETTINGS".to_owned();
    assert_eq!(expect_goodbye(&mut client).await, (1, text));
}

#[tokio::test(start_paused = true)]
async fn a_client_of_http1_is_told_what_it_sent() {
    let world = World::plain().await;
    let mut client = Peer::new(world.pipe().await);
    client.mute();
    client.storm(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await;
    let text = "the client does not speak HTTP/2: it sent \"GET / HTTP/1.1\"".to_owned();
    assert_eq!(expect_goodbye(&mut client).await, (1, text));
}

#[tokio::test(start_paused = true)]
async fn answers_that_a_client_does_not_read_end_its_connection() {
    let rules = KeepaliveEnforcement { min_time: Duration::ZERO, permit_without_calls: true };
    let world = World::new(|server| server.keepalive_enforcement(rules)).await;
    let mut pipe = world.pipe_of(20_000).await;
    let grpc = [("te", "trailers"), ("content-type", "application/grpc")];
    let begun = headers(1, 0, &[&[(":method", "POST"), (":scheme", "http"), (":path", TO_ALL)], &grpc[..]].concat());
    pipe.write_all(&[PREFACE, &settings(&[]), &begun].concat()).await.unwrap();
    // Each makes 17 bytes of answers. The message makes up for the ping.
    let demands = [ping(), data(1, 0, &[0; 5])].concat().repeat(1000);
    let mut sent = 0;
    while matches!(timeout(S / 2, pipe.write_all(&demands)).await, Ok(Ok(()))) {
        sent += 1000;
        assert!(sent < 60_000, "the server reads on and on");
    }
    assert!(sent > 15_000, "{sent}");
    pass(S).await;
    assert!(world.handle.connection_stats().is_empty(), "what it held is free");
    assert_eq!(world.handle.connection_totals().violations.of(Rule::UnsentAnswers), 1);
    assert_eq!(greet(&mut connect(&world).await).await, "0");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_holds_no_more_than_its_window() {
    let (world, mut client) = attacked(|server| server).await;
    client.withhold_credit();
    let stream = client.send_request(REPEATEDLY, &[]).await;
    client.send_data(stream, &repeat("large", 1000)).await;
    client.send_end(stream).await;
    settle().await;
    let [connection] = world.handle.connection_stats()[..] else { panic!("one connection") };
    assert_eq!(connection.send_window, 0);
    let made = connection.counters.messages_sent;
    assert!((6..14).contains(&made), "{made} messages of 10,000 bytes were made");
}

/// A service whose every answer is a body of 16 MiB, of which there is one in memory.
#[derive(Clone)]
struct Giant(Bytes);

struct Once(Option<Bytes>);

impl http_body::Body for Once {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

impl tower_service::Service<Request<Body>> for Giant {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        ready(Ok(Response::new(Body::new(Once(Some(self.0.clone()))))))
    }
}

fn giant(server: ServerBuilder) -> ServerBuilder {
    let http2 = Http2Options { max_stalled: 256 << 20, ..Http2Options::default() };
    server.http2(http2).add_route("giant.Giant", Giant(vec![0; 16 << 20].into()))
}

#[tokio::test(start_paused = true)]
async fn answers_that_wait_for_shut_windows_end_the_connection_when_they_are_too_many() {
    const FIT: u32 = 16;
    let (world, mut client) = attacked(giant).await;
    client.withhold_credit();
    for _ in 0..FIT {
        let stream = client.send_request("/giant.Giant/Get", &[]).await;
        client.send_end(stream).await;
    }
    client.expect_headers().await;
    settle().await;
    assert_eq!(world.handle.connection_stats()[0].calls, FIT as usize);
    let stream = client.send_request("/giant.Giant/Get", &[]).await;
    client.send_end(stream).await;
    let (code, text) = expect_goodbye(&mut client).await;
    let waiting = ((u64::from(FIT) + 1) << 24) - 65_535;
    assert_eq!((code, text), (CALM, format!("{waiting} bytes wait, and the peer keeps its windows shut")));
    settle().await;
    assert_eq!(world.handle.connection_totals().violations.of(Rule::Stalled), 1);
    assert_eq!(greet(&mut connect(&world).await).await, "0");
}

#[tokio::test(start_paused = true)]
async fn as_much_for_a_client_that_opens_its_windows_is_only_traffic() {
    const LARGEST: u32 = (1 << 31) - 1;
    let world = World::new(giant).await;
    let mut client = Peer::new(world.pipe().await);
    client.withhold_credit();
    client.send_preface(&[(INITIAL_WINDOW_SIZE, LARGEST)]).await;
    client.send_window_update(0, LARGEST - 65_535).await;
    for _ in 0..20 {
        let stream = client.send_request("/giant.Giant/Get", &[]).await;
        client.send_end(stream).await;
    }
    // It has its turn among the others.
    assert_eq!(greet(&mut client).await, "0");
}

#[tokio::test(start_paused = true)]
async fn heads_of_answers_that_a_client_does_not_read_end_its_connection() {
    let world = World::plain().await;
    let mut pipe = world.pipe_of(20_000).await;
    pipe.write_all(&[PREFACE, &settings(&[]), &settings_ack()].concat()).await.unwrap();
    let mut asked = 0;
    for stream in streams(20_000) {
        // Each answer repeats a path that no other has.
        let nobody = format!("/{stream}{}", "%".repeat(250));
        let path = [(":method", "POST"), (":scheme", "http"), (":path", &*nobody), ("te", "trailers")];
        let request = headers(stream, END_STREAM, &[&path[..], &[("content-type", "application/grpc")]].concat());
        if !matches!(timeout(S, pipe.write_all(&request)).await, Ok(Ok(()))) {
            break;
        }
        asked += 1;
    }
    assert!((1_000..15_000).contains(&asked), "{asked} requests were taken");
    pass(5 * S).await;
    assert!(world.handle.connection_stats().is_empty());
    assert_eq!(world.handle.connection_totals().violations.of(Rule::UnsentHeads), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_given_up_leave_little_behind_if_their_server_does_not_read() {
    let mut script = Script::new();
    let _first = call(&script.channel, named("ann"));
    let _peer = script.accept().await;
    give_up(&script, 400).await;
    let counters = script.channel.connection_stats()[0].counters;
    // Each has 30 kB, and 4 MiB may wait.
    assert!((100..200).contains(&counters.streams_started), "{counters:?}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_dropped_lets_go_of_a_server_that_does_not_read() {
    let mut script = Script::new();
    let first = call(&script.channel, named("ann"));
    let _peer = script.accept().await;
    give_up(&script, 100).await;
    first.abort();
    let Script { channel, listener } = script;
    assert!(listener.host().connections()[0].is_open());
    drop(channel);
    pass(5 * S).await;
    assert!(listener.host().connections().is_empty());
}

/// Makes calls with large metadata, one after the other, that nobody answers in time.
async fn give_up(script: &Script, calls: usize) {
    for number in 0..calls {
        let mut request = named("bob");
        let large = format!("{number}{}", "x".repeat(30_000)).parse().unwrap();
        request.metadata_mut().insert("authorization", large);
        request.set_timeout(Duration::from_millis(10));
        let status = call(&script.channel, request).await.unwrap().unwrap_err();
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded, "{status:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_deaf_to_the_goodbye_is_told_all_the_same_that_no_more_calls_are_taken() {
    let (_world, mut client) = attacked(|server| server.max_connection_age(30 * S)).await;
    client.mute();
    client.withhold_credit();
    let held = client.send_request(SAY_HELLO, &[]).await;
    assert_eq!(client.expect_go_away().await.last_stream, (1 << 31) - 1);
    assert_eq!(greet(&mut client).await, "0", "it may not have heard yet");
    assert_eq!(client.expect_go_away().await.last_stream, 3);
    let late = client.send_request(SAY_HELLO, &[]).await;
    client.send_data(late, &hello("ann")).await;
    client.send_end(late).await;
    client.send_data(held, &hello("ann")).await;
    client.send_end(held).await;
    assert_eq!(answer_to(&mut client, held).await, "0", "of the late one nothing is heard");
    client.expect_close().await;
}
