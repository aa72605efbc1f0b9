//! Request bodies that fail, and bodies that are not tonic's.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body::{Body, Frame};
use thalweg::{channel::ResponseFuture, error::LocalError};
use tokio::sync::oneshot;
use tonic::{Code, Status};
use tower_service::Service;

use crate::support::{
    script::{CANCEL, END, HEAD, Script, reply},
    told,
};

/// A body of these frames, the last of which waits for a word.
struct Slow {
    frames: VecDeque<Result<Frame<Bytes>, Status>>,
    go_on: oneshot::Receiver<()>,
}

impl Body for Slow {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.frames.len() == 1 && Pin::new(&mut self.go_on).poll(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(self.frames.pop_front())
    }
}

fn data(bytes: &'static str) -> Result<Frame<Bytes>, Status> {
    Ok(Frame::data(Bytes::from_static(bytes.as_bytes())))
}

fn send(
    script: &Script,
    frames: impl IntoIterator<Item = Result<Frame<Bytes>, Status>>,
) -> (ResponseFuture, oneshot::Sender<()>) {
    let (word, go_on) = oneshot::channel();
    let body = Slow { frames: frames.into_iter().collect(), go_on };
    (script.channel.clone().call(Request::post("/test.Raw/Method").body(body).unwrap()), word)
}

fn failure() -> Status {
    Status::failed_precondition("the disk is empty")
}

fn blamed() -> (Code, &'static str, Option<LocalError>) {
    let mark = LocalError::RequestBody("the disk is empty".into());
    (Code::FailedPrecondition, "the disk is empty", Some(mark))
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_before_the_answer_is_the_outcome_and_cancels_the_call() {
    let mut script = Script::new();
    let (call, word) = send(&script, [data("one"), Err(failure())]);
    let call = tokio::spawn(call);
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    assert_eq!(peer.expect_data(stream).await.bytes, "one");
    word.send(()).unwrap();
    assert_eq!(told(&call.await.unwrap().unwrap_err()), blamed());
    assert_eq!(peer.expect_reset(stream).await, CANCEL);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_after_the_answer_began_is_the_outcome_too() {
    let mut script = Script::new();
    let (call, word) = send(&script, [data("one"), Err(failure())]);
    let call = tokio::spawn(call);
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    peer.expect_data(stream).await;
    peer.send_headers(stream, HEAD).await;
    peer.send_message(stream, &reply("hello")).await;
    let mut body = call.await.unwrap().unwrap().into_body();
    word.send(()).unwrap();
    assert_eq!(peer.expect_reset(stream).await, CANCEL);
    let status = loop {
        match std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap() {
            Ok(frame) => assert!(frame.is_data()),
            Err(status) => break status,
        }
    };
    assert_eq!(told(&status), blamed());
    assert!(body.is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_after_the_answer_is_complete_changes_nothing() {
    let mut script = Script::new();
    let (call, word) = send(&script, [data("one"), Err(failure())]);
    let call = tokio::spawn(call);
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    peer.send_headers(stream, HEAD).await;
    let mut body = call.await.unwrap().unwrap().into_body();
    peer.send_trailers(stream, END).await;
    let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap().unwrap();
    assert_eq!(frame.trailers_ref().unwrap().get("grpc-status").unwrap(), "0");
    let _ = word.send(());
    assert!(std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn request_trailers_are_not_grpcs_and_are_left_out() {
    let mut script = Script::new();
    let (call, word) = send(&script, [data("one"), Ok(Frame::trailers(HeaderMap::new()))]);
    word.send(()).unwrap();
    let call = tokio::spawn(call);
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    let first = peer.expect_data(stream).await;
    assert_eq!((first.bytes, first.end), (Bytes::from("one"), true));
    drop(call);
}

#[tokio::test(start_paused = true)]
async fn a_body_without_bytes_ends_the_stream_with_an_empty_frame() {
    let mut script = Script::new();
    let (call, _word) = send(&script, []);
    let call = tokio::spawn(call);
    let mut peer = script.accept().await;
    let head = peer.expect_headers().await;
    assert!(!head.end);
    let only = peer.expect_data(head.stream).await;
    assert_eq!((only.bytes.len(), only.end), (0, true));
    drop(call);
}

#[tokio::test(start_paused = true)]
async fn a_stub_that_refuses_its_own_message_is_heard_and_its_call_never_leaves() {
    let mut script = Script::new();
    let mut client = crate::support::client(&script.channel).max_encoding_message_size(100);
    let call = tokio::spawn(async move { client.say_hello(crate::support::named(&"x".repeat(200))).await });
    let mut peer = script.accept().await;
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::OutOfRange);
    peer.expect_quiet(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_before_its_first_message_never_leaves() {
    let mut script = Script::new();
    let (call, word) = send(&script, [Err(failure())]);
    word.send(()).unwrap();
    let call = tokio::spawn(call);
    let mut peer = script.accept().await;
    assert_eq!(told(&call.await.unwrap().unwrap_err()), blamed());
    peer.expect_quiet(Duration::from_secs(1)).await;
}
