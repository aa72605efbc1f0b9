//! The life of connections, and of the server: keepalive, idleness, age, and a stop that always ends.

use std::time::Duration;

use bytes::BytesMut;
use h2::Reason;
use thalweg::{Server, transport::keepalive::Keepalive};
use thalweg_testkit::wire::{
    frame::{END_HEADERS, Frame, Kind},
    hpack::encode,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::{Instant, timeout},
};
use tonic::Code;

use super::fixture::{Answer, Client, Event, SAY_HELLO, World, greeter, hello, post, settle};

const S: Duration = Duration::from_secs(1);

/// Says what a client says first, and nothing after.
async fn fall_silent(pipe: &mut DuplexStream) {
    pipe.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
}

/// Reads what the server says until it says GOAWAY.
async fn read_goaway(pipe: &mut DuplexStream) {
    let mut read = BytesMut::new();
    loop {
        while let Some(frame) = Frame::decode(&mut read) {
            if frame.kind == Kind::GoAway {
                return;
            }
        }
        assert_ne!(pipe.read_buf(&mut read).await.unwrap(), 0, "closed without a GOAWAY");
    }
}

/// A call in flight that takes ten seconds.
async fn slow_call(world: &mut World, client: &mut Client) -> h2::client::ResponseFuture {
    let response = client.ask(post(SAY_HELLO), hello("slow")).await;
    assert!(matches!(world.event().await, Event::Started));
    response
}

/// A call in flight that takes for ever.
async fn hanging_call(world: &mut World, client: &mut Client) -> h2::client::ResponseFuture {
    let response = client.ask(post(SAY_HELLO), hello("hang")).await;
    assert!(matches!(world.event().await, Event::Started));
    response
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_no_ping_is_closed() {
    let world = World::plain().await;
    let (begun, mut pipe) = (Instant::now(), world.pipe().await);
    fall_silent(&mut pipe).await;
    pipe.read_to_end(&mut vec![]).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 2 * 60 * 60 + 20);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_lives_on() {
    let keepalive = Keepalive { time: Some(S * 5), timeout: S, while_idle: true };
    let world = World::new(|server| server.keepalive(keepalive)).await;
    let mut client = world.connect().await;
    assert!(timeout(S * 1000, &mut client.connection).await.is_err());
    assert_eq!(client.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_pinged_only_if_told_so() {
    let keepalive = Keepalive { time: Some(S * 5), timeout: S, while_idle: false };
    let mut world = World::new(|server| server.keepalive(keepalive)).await;
    let mut pipe = world.pipe().await;
    fall_silent(&mut pipe).await;
    assert!(timeout(S * 1000, pipe.read_to_end(&mut vec![])).await.is_err());
    let mut client = world.connect().await;
    let hanging = hanging_call(&mut world, &mut client).await;
    assert!(timeout(S * 1000, hanging).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_sent_away() {
    let mut world = World::new(|server| server.max_connection_idle(S * 3)).await;
    let mut client = world.connect().await;
    let begun = Instant::now();
    let response = slow_call(&mut world, &mut client).await;
    assert_eq!(Answer::of(response).await.unwrap().code(), Code::Ok);
    client.connection.await.unwrap().unwrap();
    assert_eq!(begun.elapsed().as_secs(), 13);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_as_it_comes_is_no_idle_time() {
    let world = World::new(|server| server.max_connection_idle(S * 10)).await;
    let mut pipe = world.pipe().await;
    let begun = Instant::now();
    fall_silent(&mut pipe).await;
    assert!(timeout(S * 9, read_goaway(&mut pipe)).await.is_err());
    let mut call = BytesMut::new();
    let head = encode(&[(":method", "POST"), (":scheme", "http"), (":authority", "test"), (":path", SAY_HELLO)]);
    Frame::new(Kind::Headers, END_HEADERS, 1, head).encode(&mut call);
    Frame::number(Kind::RstStream, 1, Reason::CANCEL.into()).encode(&mut call);
    pipe.write_all(&call).await.unwrap();
    read_goaway(&mut pipe).await;
    assert_eq!(begun.elapsed().as_secs(), 19);
}

#[tokio::test(start_paused = true)]
async fn the_longest_of_times_are_for_ever() {
    let keepalive = Keepalive { time: Some(S), timeout: Duration::MAX, while_idle: true };
    let configure = |server: thalweg::server::ServerBuilder| {
        let server = server.max_connection_idle(Duration::MAX).max_connection_age(Duration::MAX);
        server.max_connection_age_grace(Duration::MAX).handshake_timeout(Duration::MAX).keepalive(keepalive)
    };
    let mut world = World::new(configure).await;
    let mut client = world.connect().await;
    let response = slow_call(&mut world, &mut client).await;
    let handle = world.handle.clone();
    let stop = tokio::spawn(async move { handle.graceful_stop(Duration::MAX).await });
    assert_eq!(Answer::of(response).await.unwrap().code(), Code::Ok);
    stop.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_aged_connection_is_sent_away_around_its_time() {
    let world = World::new(|server| server.max_connection_age(S * 1000)).await;
    let begun = Instant::now();
    let age = |client: Client| async move {
        // Without its sender a client closes by itself.
        let Client { send: _sender, connection } = client;
        connection.await.unwrap().unwrap();
        begun.elapsed().as_millis()
    };
    let clients = (world.connect().await, world.connect().await, world.connect().await);
    let (a, b, c) = tokio::join!(age(clients.0), age(clients.1), age(clients.2));
    let mut ages = vec![a, b, c];
    assert!(ages.iter().all(|age| (900_000..=1_100_010).contains(age)), "{ages:?}");
    ages.dedup();
    assert!(ages.len() > 1, "all at once, at {ages:?}");
}

#[tokio::test(start_paused = true)]
async fn calls_on_an_aged_connection_finish_within_the_grace() {
    let configure =
        |server: thalweg::server::ServerBuilder| server.max_connection_age(S * 5).max_connection_age_grace(S * 30);
    let mut world = World::new(configure).await;
    let mut client = world.connect().await;
    let response = slow_call(&mut world, &mut client).await;
    assert_eq!(Answer::of(response).await.unwrap().code(), Code::Ok);
    client.connection.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn calls_on_an_aged_connection_are_cut_after_the_grace() {
    let configure =
        |server: thalweg::server::ServerBuilder| server.max_connection_age(S * 100).max_connection_age_grace(S * 30);
    let mut world = World::new(configure).await;
    let (begun, mut client) = (Instant::now(), world.connect().await);
    let response = hanging_call(&mut world, &mut client).await;
    assert!(Answer::of(response).await.is_err());
    assert!((120..=140).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(matches!(world.event().await, Event::Dropped));
}

#[tokio::test(start_paused = true)]
async fn a_graceful_stop_lets_calls_in_flight_finish_and_takes_no_new_ones() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let response = slow_call(&mut world, &mut client).await;
    let (begun, handle) = (Instant::now(), world.handle.clone());
    let stop = tokio::spawn(async move { handle.graceful_stop(S * 30).await });
    settle().await;
    assert!(client.send.clone().ready().await.unwrap_err().is_go_away());
    assert!(world.listener.is_closed());
    assert_eq!(Answer::of(response).await.unwrap().messages(), ["hello slow"]);
    client.connection.await.unwrap().unwrap();
    stop.await.unwrap();
    world.run.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_graceful_stop_cuts_off_what_is_not_done_in_time() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let response = hanging_call(&mut world, &mut client).await;
    let begun = Instant::now();
    world.handle.graceful_stop(S * 5).await;
    assert_eq!(begun.elapsed().as_secs(), 5);
    let error = Answer::of(response).await.unwrap_err();
    assert!(error.is_go_away() || error.is_io(), "{error:?}");
    assert!(matches!(world.event().await, Event::Dropped));
    world.run.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn of_two_graceful_stops_the_earlier_deadline_counts() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let _response = hanging_call(&mut world, &mut client).await;
    let (begun, handle) = (Instant::now(), world.handle.clone());
    tokio::spawn(async move { handle.graceful_stop(S * 500).await });
    settle().await;
    world.handle.graceful_stop(S * 5).await;
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_graceful_stop_waits_for_no_idle_connection_and_no_handshake() {
    let world = World::plain().await;
    let (_idle, _half_open) = (world.connect().await, world.pipe().await);
    settle().await;
    let begun = Instant::now();
    world.handle.graceful_stop(S * 30).await;
    assert!(begun.elapsed() < S, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_graceful_stop_waits_only_moments_for_a_client_that_does_not_answer_or_read() {
    for size in [1 << 20, 80] {
        let world = World::plain().await;
        let mut pipe = world.pipe_of(size).await;
        fall_silent(&mut pipe).await;
        settle().await;
        let begun = Instant::now();
        world.handle.graceful_stop(S * 3600).await;
        assert!(begun.elapsed() < S * 7, "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_cuts_everything_off_at_once() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let response = hanging_call(&mut world, &mut client).await;
    let begun = Instant::now();
    world.handle.stop();
    world.handle.stopped().await;
    assert!(begun.elapsed() < S, "{:?}", begun.elapsed());
    assert!(Answer::of(response).await.is_err());
    assert!(matches!(world.event().await, Event::Dropped));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_run_stops_the_server() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let response = hanging_call(&mut world, &mut client).await;
    world.run.abort();
    assert!(Answer::of(response).await.is_err());
    assert!(matches!(world.event().await, Event::Dropped));
    world.handle.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_without_listeners_or_connections_left_ends() {
    let world = World::plain().await;
    let mut client = world.connect().await;
    drop(world.listener);
    assert_eq!(client.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
    drop(client.send);
    client.connection.await.unwrap().unwrap();
    world.run.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_runs_until_a_signal() {
    let (service, _events) = greeter();
    let listener = thalweg::transport::connector::memory::MemoryListener::new("greeter");
    let server = Server::builder().add_service(service).listen(listener).bind().await.unwrap();
    let begun = Instant::now();
    let signal = async { drop(timeout(S * 5, std::future::pending::<()>()).await) };
    server.run_until(signal, S).await;
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn calls_that_cross_a_goaway_are_still_served() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let _slow = slow_call(&mut world, &mut client).await;
    let handle = world.handle.clone();
    tokio::spawn(async move { handle.graceful_stop(S * 30).await });
    // It leaves before the client can have read the GOAWAY.
    let crossing = client.ask(post(SAY_HELLO), hello("ann")).await;
    match Answer::of(crossing).await {
        Ok(answer) => assert_eq!(answer.code(), Code::Ok),
        Err(error) => assert_eq!(error.reason(), Some(Reason::NO_ERROR)),
    }
}
