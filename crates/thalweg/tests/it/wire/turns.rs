//! Who sends when: large and small messages of many calls share a connection in turns.

use bytes::Bytes;
use thalweg_testkit::{network::Network, peer::Peer, stub::Stub};

use super::{INITIAL, LARGEST, WINDOW, dial};
use crate::support::{
    call,
    fleet::ONE,
    named,
    script::{Script, answer},
    settle,
};

const FRAME: usize = 16 << 10;
/// What gathers before streams have to wait for their turns.
const BUFFER: usize = 128 << 10;
/// What is on the network between the two ends.
const PIPE: usize = 64 << 10;

/// A client whose server takes all there is, and its connection, on which nothing is read for now.
async fn wide_open(script: &mut Script) -> Peer {
    let mut peer = script.accept_with(&[(WINDOW, LARGEST)]).await;
    peer.send_window_update(0, LARGEST - INITIAL).await;
    peer.withhold_credit();
    settle().await;
    peer
}

#[tokio::test(start_paused = true)]
async fn an_upload_of_sixteen_megabytes_does_not_delay_small_calls() {
    let mut script = Script::new();
    let large = call(&script.channel, named(&"x".repeat(16 << 20)));
    let mut peer = wide_open(&mut script).await;
    let small: Vec<_> = (0..5).map(|_| call(&script.channel, named("ann"))).collect();
    settle().await;
    // What was written before, what the writer holds, and what has gathered. From there on, one frame at a time.
    let before = PIPE + 2 * BUFFER;
    let (mut of_large, mut of_small) = (0, vec![]);
    while of_small.len() < 5 {
        let data = peer.expect_any_data().await;
        match data.stream {
            1 => of_large += data.bytes.len(),
            _ => of_small.push((data.stream, of_large)),
        }
    }
    assert!(of_small.iter().all(|(_, sent)| *sent <= before + 2 * FRAME), "{of_small:?}");
    // One that comes later is behind what has gathered by then, and no more.
    let late = call(&script.channel, named("bob"));
    settle().await;
    let gathered = of_large;
    loop {
        let data = peer.expect_any_data().await;
        match data.stream {
            1 => of_large += data.bytes.len(),
            _ => break,
        }
    }
    assert!(of_large - gathered <= before + 2 * FRAME, "{}", of_large - gathered);
    for stream in [3, 5, 7, 9, 11] {
        answer(&mut peer, stream, "hello").await;
    }
    answer(&mut peer, 13, "hello bob").await;
    assert_eq!(late.await.unwrap().unwrap().message, "hello bob");
    for call in small {
        assert_eq!(call.await.unwrap().unwrap().message, "hello");
    }
    large.abort();
}

#[tokio::test(start_paused = true)]
async fn large_uploads_take_turns_by_the_frame() {
    let mut script = Script::new();
    let calls: Vec<_> = (0..4).map(|_| call(&script.channel, named(&"x".repeat(1 << 20)))).collect();
    let mut peer = wide_open(&mut script).await;
    let mut turns = vec![];
    for _ in 0..4 * ((1 << 20) / FRAME) {
        turns.push(peer.expect_any_data().await.stream);
    }
    // The first of them had a buffer for itself.
    let shared = &turns[BUFFER / FRAME..];
    let rounds = shared.chunks(4).take(40).filter(|round| {
        let mut round = round.to_vec();
        round.sort_unstable();
        round == [1, 3, 5, 7]
    });
    assert!(rounds.count() >= 36, "{turns:?}");
    calls.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn a_large_answer_does_not_delay_small_ones() {
    let network = Network::new();
    let stub = Stub::new().unary("/s/Get", |request: tonic::Request<Bytes>| async move {
        let size = String::from_utf8(request.into_inner().to_vec()).unwrap().parse().unwrap();
        Ok(tonic::Response::new(Bytes::from(vec![7; size])))
    });
    let _server = stub.serve(network.listen(ONE)).await;
    let mut peer = dial(&network).await;
    peer.withhold_credit();
    peer.send_preface(&[(WINDOW, LARGEST)]).await;
    peer.send_window_update(0, LARGEST - INITIAL).await;
    let large = peer.send_request("/s/Get", &[]).await;
    peer.send_message(large, b"16000000").await;
    peer.send_end(large).await;
    settle().await;
    let small = peer.send_request("/s/Get", &[]).await;
    peer.send_message(small, b"10").await;
    peer.send_end(small).await;
    settle().await;
    let mut of_large = 0;
    loop {
        let data = peer.expect_any_data().await;
        if data.stream == small {
            break;
        }
        of_large += data.bytes.len();
    }
    assert!(of_large <= PIPE + 2 * BUFFER + 2 * FRAME, "{of_large}");
}
