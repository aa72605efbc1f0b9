//! Calls that the client or the network ends: the handler is dropped at once, and nothing looks like a clean end.

use std::time::Duration;

use bytes::BytesMut;
use h2::Reason;
use thalweg::error::LocalError;
use thalweg_testkit::wire::{
    frame::{END_HEADERS, END_STREAM, Frame, Kind, PREFACE},
    hpack::encode,
};
use tokio::{io::AsyncWriteExt, time::Instant};
use tonic::Code;

use super::fixture::{CHAT, Client, Event, REPEATEDLY, SAY_HELLO, TO_ALL, World, hello, post, repeat, settle};

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_drops_its_handler_at_once() {
    let mut world = World::plain().await;
    let (_response, mut body) = world.connect().await.open(post(SAY_HELLO)).await;
    body.send_data(hello("hang"), true).unwrap();
    assert!(matches!(world.event().await, Event::Started));
    body.send_reset(Reason::CANCEL);
    assert!(matches!(world.event().await, Event::Dropped));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_stream_drops_its_handler_at_once() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let response = client.ask(post(REPEATEDLY), repeat("ann", 3)).await;
    let body = response.await.unwrap().into_body();
    drop(body);
    while !matches!(world.event().await, Event::Dropped) {}
}

#[tokio::test(start_paused = true)]
async fn a_stream_cancelled_while_its_window_is_shut_drops_its_handler_at_once() {
    let mut world = World::plain().await;
    let io = world.pipe().await;
    let mut client = Client::with(h2::client::Builder::new().initial_window_size(10), io).await;
    let response = client.ask(post(REPEATEDLY), repeat("large", 1000)).await;
    let body = response.await.unwrap().into_body();
    drop(body);
    while !matches!(world.event().await, Event::Dropped) {}
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_drops_all_its_handlers_at_once() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let _hanging = client.ask(post(SAY_HELLO), hello("hang")).await;
    assert!(matches!(world.event().await, Event::Started));
    let streaming = client.ask(post(REPEATEDLY), repeat("ann", 3)).await;
    let _body = streaming.await.unwrap();
    client.connection.abort();
    let mut dropped = 0;
    while dropped < 2 {
        dropped += usize::from(matches!(world.event().await, Event::Dropped));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_no_clean_end_of_a_request_stream() {
    for path in [TO_ALL, CHAT] {
        let mut world = World::plain().await;
        let mut client = world.connect().await;
        let (_response, mut body) = client.open(post(path).header("x-mode", "spawn")).await;
        body.send_data(hello("ann"), false).unwrap();
        assert!(matches!(world.event().await, Event::Started));
        client.connection.abort();
        if path == CHAT {
            assert!(matches!(world.event().await, Event::Dropped));
            continue;
        }
        let status = read_error(&mut world).await;
        assert_eq!(status.code(), Code::Unavailable);
        assert!(matches!(LocalError::of(&status), Some(LocalError::Wire(_))), "{status:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_no_clean_end_of_a_request_stream() {
    let mut world = World::plain().await;
    let mut client = world.connect().await;
    let (_response, mut body) = client.open(post(TO_ALL).header("x-mode", "spawn")).await;
    body.send_data(hello("ann"), false).unwrap();
    assert!(matches!(world.event().await, Event::Started));
    body.send_reset(Reason::CANCEL);
    let status = read_error(&mut world).await;
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(client.call(SAY_HELLO, hello("bob")).await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_without_reading_its_answers_is_not_waited_for() {
    let world = World::new(|server| server.max_connections(1)).await;
    // Nothing fits into this but a part of the answer.
    let mut gone = world.pipe_of(200).await;
    let mut said = BytesMut::from(PREFACE);
    Frame::settings(&[]).encode(&mut said);
    let head = encode(&[(":method", "POST"), (":scheme", "http"), (":authority", "test"), (":path", SAY_HELLO)]);
    Frame::new(Kind::Headers, END_HEADERS, 1, head).encode(&mut said);
    Frame::new(Kind::Data, END_STREAM, 1, hello("large")).encode(&mut said);
    gone.write_all(&said).await.unwrap();
    settle().await;
    gone.shutdown().await.unwrap();
    let begun = Instant::now();
    assert_eq!(world.connect().await.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// The error with which a reader's stream ends; never a clean end.
async fn read_error(world: &mut World) -> tonic::Status {
    loop {
        match world.event().await {
            Event::Read(Err(status)) => return status,
            Event::Read(Ok(None)) => panic!("the stream ended as if all were well"),
            _ => {}
        }
    }
}
