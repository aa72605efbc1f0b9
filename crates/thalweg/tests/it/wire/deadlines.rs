//! Deadlines of calls that nobody polls: the connection watches them.

use std::time::Duration;

use thalweg_proto::demo::HelloRepeatedlyRequest;
use tokio::time::Instant;
use tonic::{Code, Request};

use super::{ask, ask_with, read_request};
use crate::support::{
    pass,
    script::{CANCEL, HEAD, Script, reply},
};

#[tokio::test(start_paused = true)]
async fn a_response_that_nobody_polls_is_reset_at_its_deadline() {
    let mut script = Script::new();
    let mut request = Request::new(HelloRepeatedlyRequest::default());
    request.set_timeout(Duration::from_secs(7));
    let begun = Instant::now();
    let call = ask_with(&script, request);
    let mut peer = script.accept().await;
    let stream = read_request(&mut peer).await;
    peer.send_headers(stream, HEAD).await;
    let mut replies = call.await.unwrap().unwrap();
    for _ in 0..10 {
        peer.send_message(stream, &reply("hello")).await;
    }
    assert_eq!(peer.expect_reset(stream).await, CANCEL);
    assert_eq!(begun.elapsed().as_secs(), 7);
    pass(Duration::from_secs(60)).await;
    assert_eq!(script.channel.connection_stats()[0].calls, 0);
    // Whatever came in time may still be read; the end is the deadline's.
    let status = loop {
        match replies.message().await {
            Ok(Some(reply)) => assert_eq!(reply.message, "hello"),
            Ok(None) => panic!("a clean end"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn each_of_many_deadlines_is_kept() {
    let mut script = Script::new();
    let begun = Instant::now();
    let mut calls = vec![ask(&script)];
    let mut peer = script.accept().await;
    read_request(&mut peer).await;
    for n in [5, 3, 9, 1, 7] {
        let mut request = Request::new(HelloRepeatedlyRequest::default());
        request.set_timeout(Duration::from_secs(n));
        calls.push(ask_with(&script, request));
        read_request(&mut peer).await;
    }
    for (stream, second) in [(9, 1), (5, 3), (3, 5), (11, 7), (7, 9)] {
        assert_eq!(peer.expect_reset(stream).await, CANCEL);
        assert_eq!(begun.elapsed().as_secs(), second);
    }
    peer.expect_quiet(Duration::from_secs(1000)).await;
    calls.remove(0).abort();
}
