//! Windows that grow with what the network can have under way.

use std::time::Duration;

use thalweg::transport::options::Http2Options;
use thalweg_testkit::peer::Peer;
use tokio::time::timeout;

use super::{INITIAL, WINDOW, ask, read_request};
use crate::support::{
    pass,
    script::{HEAD, Script},
    settle,
};

const PROBE: [u8; 8] = *b"thalweg?";

/// A stream on which the server sends, and whose client reads, on a connection whose windows may grow to this size.
async fn download(adaptive_window: Option<u32>) -> (Script, Peer, u32) {
    let http2 =
        Http2Options { stream_window: INITIAL, connection_window: INITIAL, adaptive_window, ..Http2Options::default() };
    let mut script = Script::with(|builder| builder.http2(http2));
    let (peer, stream) = answer_in_part(&mut script).await;
    (script, peer, stream)
}

/// A stream of replies on a new connection, which somebody reads.
async fn answer_in_part(script: &mut Script) -> (Peer, u32) {
    let call = ask(script);
    tokio::spawn(async move {
        let mut replies = call.await.unwrap().unwrap();
        while let Ok(Some(_)) = replies.message().await {}
    });
    let mut peer = script.accept().await;
    peer.mute();
    let stream = read_request(&mut peer).await;
    peer.send_headers(stream, HEAD).await;
    (peer, stream)
}

/// Sends as much as fits the first window, and then as much as was given back, while a ping is under way.
async fn fill(peer: &mut Peer, stream: u32, bytes: usize) {
    // Messages without a byte, of which a piece of any size is a good one.
    peer.send_data(stream, &vec![0; bytes / 5 * 5]).await;
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn windows_grow_to_twice_what_comes_in_while_a_ping_is_under_way() {
    let (_script, mut peer, stream) = download(Some(16 << 20)).await;
    fill(&mut peer, stream, 60_000).await;
    assert_eq!(peer.expect_ping().await, PROBE);
    pass(Duration::from_millis(50)).await;
    peer.pong(PROBE).await;
    assert_eq!(peer.expect_settings().await, [(WINDOW, 120_000)]);
    let mut connection = 0;
    while let Ok(more) = timeout(Duration::from_secs(1), peer.expect_window_update(0)).await {
        connection += more;
    }
    // What came in is given back, and the window is as large as the stream's.
    assert!((120_000 - INITIAL..=120_000 - INITIAL + 60_000).contains(&connection), "{connection}");
}

#[tokio::test(start_paused = true)]
async fn windows_grow_no_further_than_they_may_and_then_nothing_is_measured() {
    let (_script, mut peer, stream) = download(Some(100_000)).await;
    fill(&mut peer, stream, 60_000).await;
    assert_eq!(peer.expect_ping().await, PROBE);
    pass(Duration::from_millis(50)).await;
    peer.pong(PROBE).await;
    assert_eq!(peer.expect_settings().await, [(WINDOW, 100_000)]);
    fill(&mut peer, stream, 30_000).await;
    assert!(timeout(Duration::from_secs(1), peer.expect_ping()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn windows_stay_as_they_are_where_little_comes_in() {
    let (_script, mut peer, stream) = download(Some(16 << 20)).await;
    for _ in 0..20 {
        fill(&mut peer, stream, 10_000).await;
        assert_eq!(peer.expect_ping().await, PROBE);
        pass(Duration::from_millis(50)).await;
        peer.pong(PROBE).await;
        settle().await;
    }
    let grown = timeout(Duration::from_secs(1), peer.expect_settings()).await;
    assert!(grown.is_err(), "{grown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_too_many_pings_is_measured_no_more() {
    for (said, is_measured) in [("too_many_pings", false), ("too many calls", true)] {
        let (mut script, mut peer, stream) = download(Some(16 << 20)).await;
        fill(&mut peer, stream, 60_000).await;
        assert_eq!(peer.expect_ping().await, PROBE);
        peer.go_away(stream, 11, said).await;
        peer.close().await;

        let (mut peer, stream) = answer_in_part(&mut script).await;
        fill(&mut peer, stream, 60_000).await;
        let probe = timeout(Duration::from_secs(1), peer.expect_ping()).await;
        assert_eq!(probe.ok(), is_measured.then_some(PROBE), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_measured_unless_somebody_wants_it() {
    let (_script, mut peer, stream) = download(None).await;
    fill(&mut peer, stream, 60_000).await;
    let probe = timeout(Duration::from_secs(1), peer.expect_ping()).await;
    assert!(probe.is_err(), "{probe:?}");
}
