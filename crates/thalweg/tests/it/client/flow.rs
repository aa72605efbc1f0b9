//! Flow control in the hands of whoever reads: a slow stream is its own affair, and memory is bounded.

use std::time::Duration;

use thalweg::transport::options::Http2Options;
use thalweg_proto::demo::{HelloRepeatedlyRequest, HelloReply};
use thalweg_testkit::peer::Peer;
use tokio::time::timeout;
use tonic::Streaming;

use crate::support::{
    call, client, named,
    script::{HEAD, Script, answer},
};

/// What a connection may have under way.
const WINDOW: u32 = 100_000;
/// The prefix of a message that is longer than all that comes of it.
const ENDLESS: [u8; 5] = [0, 0, 0x30, 0, 0];

fn script(max_unread: usize) -> Script {
    let http2 =
        Http2Options { stream_window: 1 << 20, connection_window: WINDOW, max_unread, ..Http2Options::default() };
    Script::with(|builder| builder.http2(http2))
}

/// A stream of replies that nobody reads yet.
async fn unread(script: &mut Script) -> (Streaming<HelloReply>, Peer, u32) {
    let mut client = client(&script.channel);
    let call = tokio::spawn(async move { client.say_hello_repeatedly(HelloRepeatedlyRequest::default()).await });
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    peer.expect_message(stream).await;
    peer.expect_end(stream).await;
    peer.send_headers(stream, HEAD).await;
    let replies = call.await.unwrap().unwrap().into_inner();
    // The connection's window, beyond what every connection begins with.
    assert_eq!(peer.expect_window_update(0).await, WINDOW - 65_535);
    (replies, peer, stream)
}

/// Sends up to `most` bytes as the connection's window allows, until no more of it is returned; how many it was.
async fn push(peer: &mut Peer, stream: u32, window: &mut u32, most: usize) -> usize {
    let mut sent = 0;
    while sent < most {
        let part = (*window as usize).min(most - sent).min(10_000);
        peer.send_data(stream, &vec![0; part]).await;
        *window -= part as u32;
        sent += part;
        let patience = Duration::from_secs(u64::from(*window == 0));
        while let Ok(returned) = timeout(patience, peer.expect_window_update(0)).await {
            *window += returned;
        }
        if *window == 0 {
            break;
        }
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_reads_never_holds_up_the_others() {
    let mut script = script(32 << 20);
    let (_replies, mut peer, stream) = unread(&mut script).await;
    let mut window = WINDOW;
    peer.send_data(stream, &ENDLESS).await;
    window -= ENDLESS.len() as u32;
    assert_eq!(push(&mut peer, stream, &mut window, 1_000_000).await, 1_000_000);
    let other = call(&script.channel, named("bob"));
    let stream = peer.expect_headers().await.stream;
    answer(&mut peer, stream, "hello bob").await;
    assert_eq!(other.await.unwrap().unwrap().message, "hello bob");
}

#[tokio::test(start_paused = true)]
async fn when_too_much_is_unread_the_connections_window_waits_for_readers() {
    let mut script = script(0);
    let (mut replies, mut peer, stream) = unread(&mut script).await;
    let mut window = WINDOW;
    peer.send_data(stream, &ENDLESS).await;
    window -= ENDLESS.len() as u32;
    let unread = push(&mut peer, stream, &mut window, 1_000_000).await;
    // A stream may hold 64 KiB, and then the window is used up.
    assert!((WINDOW as usize..=WINDOW as usize + (64 << 10)).contains(&unread), "{unread}");

    let reader = tokio::spawn(async move { replies.message().await });
    let returned = peer.expect_window_update(0).await;
    assert!(returned >= WINDOW / 2, "{returned}");
    window += returned;
    assert_eq!(push(&mut peer, stream, &mut window, 800_000).await, 800_000);
    reader.abort();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_sends_more_than_its_stream_may_loses_that_stream_alone() {
    let small = Http2Options { stream_window: 65_535, ..Http2Options::default() };
    let mut script = Script::with(|builder| builder.http2(small));
    let mut client = client(&script.channel);
    let replies = tokio::spawn(async move {
        client.say_hello_repeatedly(HelloRepeatedlyRequest::default()).await.map(tonic::Response::into_inner)
    });
    let mut peer = script.accept().await;
    peer.expect_settings_ack().await;
    let stream = peer.expect_headers().await.stream;
    peer.expect_message(stream).await;
    peer.expect_end(stream).await;
    peer.send_headers(stream, HEAD).await;
    let mut replies = replies.await.unwrap().unwrap();
    peer.send_data(stream, &[&ENDLESS[..], &vec![0; 65_535]].concat()).await;
    const FLOW_CONTROL_ERROR: u32 = 3;
    assert_eq!(peer.expect_reset(stream).await, FLOW_CONTROL_ERROR);
    let status = replies.message().await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Internal, "{status:?}");

    let other = call(&script.channel, named("bob"));
    let stream = peer.expect_headers().await.stream;
    answer(&mut peer, stream, "hello bob").await;
    assert_eq!(other.await.unwrap().unwrap().message, "hello bob");
}
