//! Whoever sends a stream is asked for messages only while there is room for them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use thalweg_proto::demo::HelloRequest;
use thalweg_testkit::{network::Network, peer::Peer, stub::Stub};
use tokio_stream::Stream;

use super::{INITIAL, LARGEST, WINDOW, dial};
use crate::support::{client, fleet::ONE, pass, script::Script, settle};

/// How large a message is, with its prefix and its tags.
const SIZE: usize = 1000;
/// What tonic gathers before it hands over a chunk. One chunk is under way and one is read ahead.
const GATHERED: usize = (32 << 10) / SIZE + 1;

/// As many messages as anybody asks for; how many that were.
fn counted() -> (Arc<AtomicUsize>, impl Stream<Item = HelloRequest> + Send + 'static) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let messages = std::iter::repeat_with(move || {
        count.fetch_add(1, Relaxed);
        HelloRequest { name: "x".repeat(SIZE - 5 - 3) }
    });
    (asked, tokio_stream::iter(messages))
}

/// A stream of requests without end; how many messages it was asked for.
async fn upload(script: &mut Script, settings: &[(u16, u32)]) -> (Arc<AtomicUsize>, Peer) {
    let (asked, messages) = counted();
    let mut client = client(&script.channel);
    tokio::spawn(async move { client.say_hello_to_all(messages).await });
    let mut peer = script.accept_with(settings).await;
    peer.withhold_credit();
    settle().await;
    (asked, peer)
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_asked_for_no_more_than_fits_the_servers_window() {
    let mut script = Script::new();
    let (asked, mut peer) = upload(&mut script, &[]).await;
    let fits = INITIAL as usize / SIZE;
    let first = asked.load(Relaxed);
    assert!((fits..=fits + 2 * GATHERED).contains(&first), "{first}");
    pass(Duration::from_secs(600)).await;
    assert_eq!(asked.load(Relaxed), first, "nobody asks while there is no room");

    peer.send_window_update(0, 1 << 20).await;
    peer.send_window_update(1, 500_000).await;
    peer.expect_headers().await;
    let mut read = 0;
    while read < INITIAL as usize + 500_000 {
        read += peer.expect_data(1).await.bytes.len();
    }
    peer.expect_quiet(Duration::from_secs(600)).await;
    let fits = read / SIZE;
    let all = asked.load(Relaxed);
    assert!((fits..=fits + 2 * GATHERED).contains(&all), "{all}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_asked_for_nothing_while_the_window_is_shut_from_the_beginning() {
    let mut script = Script::new();
    let (asked, mut peer) = upload(&mut script, &[(WINDOW, 0)]).await;
    let first = asked.load(Relaxed);
    assert!(first <= 2 * GATHERED, "{first}");
    peer.expect_headers().await;
    peer.expect_quiet(Duration::from_secs(60)).await;
    assert_eq!(asked.load(Relaxed), first);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_asked_for_no_more_than_fits_the_buffers_if_the_server_never_reads() {
    let mut script = Script::new();
    let (asked, mut peer) = upload(&mut script, &[(WINDOW, LARGEST)]).await;
    peer.send_window_update(0, LARGEST - INITIAL).await;
    settle().await;
    // The pipe, what the writer holds and what gathers behind it, and tonic's.
    let fits = ((64 << 10) + 2 * (128 << 10)) / SIZE + 2 * GATHERED;
    let first = asked.load(Relaxed);
    assert!(first <= fits, "{first} of {fits}");
    pass(Duration::from_secs(600)).await;
    assert_eq!(asked.load(Relaxed), first);
}

#[tokio::test(start_paused = true)]
async fn a_handlers_stream_is_asked_for_no_more_than_fits_the_buffers_if_the_client_never_reads() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let stub = Stub::new().streaming("/s/Endless", move |_| {
        let count = count.clone();
        async move {
            Ok(tonic::Response::new(tokio_stream::iter(std::iter::repeat_with(move || {
                count.fetch_add(1, Relaxed);
                Ok(Bytes::from(vec![7; SIZE - 5]))
            }))))
        }
    });
    let network = Network::new();
    let _server = stub.serve(network.listen(ONE)).await;
    let mut peer = dial(&network).await;
    peer.send_preface(&[(WINDOW, LARGEST)]).await;
    peer.send_window_update(0, LARGEST - INITIAL).await;
    let stream = peer.send_request("/s/Endless", &[]).await;
    peer.send_end(stream).await;
    settle().await;
    let fits = ((64 << 10) + 2 * (128 << 10)) / SIZE + 2 * GATHERED;
    let first = asked.load(Relaxed);
    assert!(first <= fits, "{first} of {fits}");
    pass(Duration::from_secs(600)).await;
    assert_eq!(asked.load(Relaxed), first);
}
