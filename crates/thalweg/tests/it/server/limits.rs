//! Limits end what exceeds them with the right code.

use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use thalweg::transport::options::Http2Options;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout},
};
use tonic::Code;

use super::fixture::{Answer, Client, Event, REPEATEDLY, SAY_HELLO, TO_ALL, World, hello, post, repeat, settle};

/// The beginning of a message of this size.
fn prefix(size: u32) -> Bytes {
    let mut bytes = vec![0];
    bytes.extend(size.to_be_bytes());
    bytes.into()
}

#[tokio::test(start_paused = true)]
async fn a_client_learns_how_many_calls_it_may_have() {
    let world = World::new(|server| server.max_concurrent_streams(7)).await;
    let client = world.connect().await;
    settle().await;
    assert_eq!(client.send.current_max_send_streams(), 7);
}

#[tokio::test(start_paused = true)]
async fn calls_over_the_limit_of_concurrent_streams_are_refused() {
    let mut world = World::new(|server| server.max_concurrent_streams(1)).await;
    let mut client = Client::with(h2::client::Builder::new().initial_max_send_streams(10), world.pipe().await).await;
    let _first = client.ask(post(SAY_HELLO), hello("hang")).await;
    let second = client.ask(post(SAY_HELLO), hello("ann")).await;
    assert_eq!(second.await.unwrap_err().reason(), Some(Reason::REFUSED_STREAM));
    assert!(matches!(world.event().await, Event::Started));
}

#[tokio::test(start_paused = true)]
async fn a_connection_over_the_limit_waits_until_another_ends() {
    let world = World::new(|server| server.max_connections(1)).await;
    let mut first = world.connect().await;
    assert_eq!(first.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
    let mut second = world.connect().await;
    let waiting = second.call(SAY_HELLO, hello("bob"));
    tokio::pin!(waiting);
    assert!(timeout(Duration::from_secs(60), &mut waiting).await.is_err());
    first.connection.abort();
    assert_eq!(waiting.await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_message_over_the_limit_is_refused_before_it_is_sent() {
    let world = World::plain().await;
    let mut client = world.connect().await;
    for path in [SAY_HELLO, TO_ALL] {
        let (response, mut body) = client.open(post(path)).await;
        body.send_data(prefix((4 << 20) + 1), false).unwrap();
        let answer = Answer::of(response).await.unwrap();
        assert_eq!(
            answer.status(),
            (Code::ResourceExhausted, "a message of 4194305 bytes is over the limit of 4194304".to_owned())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_at_the_limit_passes() {
    let size = hello("ann").len() - 5;
    let world = World::new(|server| server.max_receive_message_size(size)).await;
    let mut client = world.connect().await;
    assert_eq!(client.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
    assert_eq!(client.call(SAY_HELLO, hello("anne")).await.code(), Code::ResourceExhausted);
}

#[tokio::test(start_paused = true)]
async fn an_answer_over_the_limit_is_never_sent() {
    let world = World::new(|server| server.max_send_message_size(20)).await;
    let mut client = world.connect().await;
    for answer in [client.call(SAY_HELLO, hello("large")).await, client.call(REPEATEDLY, repeat("large", 2)).await] {
        assert_eq!(answer.code(), Code::ResourceExhausted);
        assert!(answer.body.is_empty());
    }
    assert_eq!(client.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn metadata_over_the_limit_is_refused() {
    let options = Http2Options { max_header_list_size: 10_000, ..Http2Options::default() };
    let mut world = World::new(|server| server.http2(options)).await;
    let mut client = world.connect().await;
    for (size, code) in
        [(9_000, Code::Ok), (12_000, Code::ResourceExhausted), (39_000, Code::ResourceExhausted), (9_000, Code::Ok)]
    {
        let request = post(SAY_HELLO).header("x-large", "x".repeat(size));
        let answer = Answer::of(client.ask(request, hello("ann")).await).await.unwrap();
        assert_eq!(answer.code(), code, "{size}");
    }
    // A handler's start and its end, for each that was good.
    assert_eq!(world.events_so_far(), 4);
}

#[tokio::test(start_paused = true)]
async fn metadata_far_over_the_limit_ends_the_connection() {
    let options = Http2Options { max_header_list_size: 10_000, ..Http2Options::default() };
    let mut world = World::new(|server| server.http2(options)).await;
    let mut client = world.connect().await;
    let request = post(SAY_HELLO).header("x-large", "x".repeat(41_000));
    assert!(Answer::of(client.ask(request, hello("ann")).await).await.is_err());
    let error = client.connection.await.unwrap().unwrap_err();
    assert!(error.is_go_away() && error.reason() == Some(Reason::ENHANCE_YOUR_CALM), "{error:?}");
    assert_eq!(world.events_so_far(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_half_open_handshake_does_not_live_for_ever() {
    let world = World::new(|server| server.handshake_timeout(Duration::from_secs(7))).await;
    for said in ["", "PRI * HTTP/2.0\r\n"] {
        let begun = Instant::now();
        let mut pipe = world.pipe().await;
        pipe.write_all(said.as_bytes()).await.unwrap();
        pipe.read_to_end(&mut vec![]).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 7, "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_speaks_something_else_harms_nobody() {
    let world = World::plain().await;
    let mut pipe = world.pipe().await;
    pipe.write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    pipe.read_to_end(&mut vec![]).await.unwrap();
    assert_eq!(world.connect().await.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
}
