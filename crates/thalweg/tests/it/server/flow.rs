//! Flow control is in the application's hands, both ways.

use bytes::Bytes;
use tonic::Code;

use super::fixture::{Answer, Client, REPEATEDLY, SAY_HELLO, TO_ALL, World, hello, post, repeat, settle};

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_stops_the_handlers_stream() {
    let mut world = World::plain().await;
    let io = world.pipe().await;
    let mut client = Client::with(h2::client::Builder::new().initial_window_size(65_535), io).await;
    let response = client.ask(post(REPEATEDLY), repeat("large", 1000)).await;
    let mut body = response.await.unwrap().into_body();
    settle().await;
    let made = world.events_so_far();
    // 65,535 bytes are under way, and tonic has encoded one more chunk of up to 32 KiB and a message.
    assert!((6..14).contains(&made), "{made} messages of 10,000 bytes were made");
    let mut got = 0;
    while let Some(data) = body.data().await {
        let size = data.unwrap().len();
        got += size;
        body.flow_control().release_capacity(size).unwrap();
    }
    assert!(got > 10_000_000);
    assert_eq!(body.trailers().await.unwrap().unwrap()["grpc-status"], "0");
}

#[tokio::test(start_paused = true)]
async fn a_large_answer_waits_for_the_window_and_comes_whole() {
    let world = World::plain().await;
    let io = world.pipe().await;
    let mut client = Client::with(h2::client::Builder::new().initial_window_size(1000), io).await;
    let answer = client.call(SAY_HELLO, hello("large")).await;
    assert_eq!(answer.messages()[0].len(), 100_000);
    assert_eq!(answer.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_does_not_read_stops_the_clients_stream_and_no_other() {
    let world = World::plain().await;
    let mut client = Client::with(h2::client::Builder::new().max_send_buffer_size(8 << 20), world.pipe().await).await;
    let (_response, mut body) = client.open(post(TO_ALL).header("x-mode", "ignore")).await;
    settle().await;
    body.reserve_capacity(4 << 20);
    settle().await;
    assert_eq!(body.capacity(), 512 << 10);
    body.send_data(Bytes::from(vec![0; 512 << 10]), false).unwrap();
    body.reserve_capacity(1);
    settle().await;
    assert_eq!(body.capacity(), 0);
    assert_eq!(client.call(SAY_HELLO, hello("ann")).await.code(), Code::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_reads_opens_the_windows_for_more_than_they_hold() {
    let world = World::plain().await;
    let (response, mut body) = world.connect().await.open(post(TO_ALL)).await;
    let name = "x".repeat(2 << 20);
    for last in [false, false, true] {
        body.send_data(hello(&name), last).unwrap();
    }
    let answer = Answer::of(response).await.unwrap();
    assert_eq!((answer.code(), answer.messages()[0].len()), (Code::Ok, (6 << 20) + 10));
}

#[tokio::test(start_paused = true)]
async fn small_messages_that_a_handler_is_slow_to_read_are_no_attack() {
    let world = World::plain().await;
    let mut client = world.connect().await;
    let (_response, mut body) = client.open(post(TO_ALL).header("x-mode", "ignore")).await;
    for _ in 0..20_000 {
        body.send_data(hello("ann"), false).unwrap();
    }
    settle().await;
    assert_eq!(client.call(SAY_HELLO, hello("bob")).await.code(), Code::Ok);
}
