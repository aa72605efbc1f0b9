//! The cases that end a call early: cancelled before it sends, cancelled half-way, and out of time.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use thalweg_proto::interop::{StreamingInputCallRequest, StreamingOutputCallRequest};
use tokio::sync::oneshot;
use tokio_stream::Stream;
use tonic::{Code, Request};

use super::{
    expect::{Failure, answered, answered_next, failed, zeros},
    request::{Feed, duplex},
    target::Target,
};
use crate::payload::{self, REQUESTS, RESPONSES};

pub(super) async fn after_begin(target: &Target) -> Result<(), Failure> {
    let what = "StreamingInputCall";
    let (requests, begun) = Silence::new();
    let mut request = Request::new(requests);
    let handle = request.cancellation_handle();
    let cancel = async {
        let begun = begun.await;
        handle.cancel();
        begun.map_err(|_| Failure::new(what, "a call that sends its metadata", "one that never asked for a message"))
    };
    let mut stub = target.stub();
    let (outcome, begun) = tokio::join!(stub.streaming_input_call(request), cancel);
    failed(what, Code::Cancelled, outcome).and(begun)
}

pub(super) async fn after_first_response(target: &Target) -> Result<(), Failure> {
    let what = "FullDuplexCall";
    let (feed, requests) = Feed::new();
    feed.push(what, Some(duplex(REQUESTS[0], RESPONSES[0])))?;
    let mut request = Request::new(requests);
    let handle = request.cancellation_handle();
    let mut responses = answered(what, target.stub().full_duplex_call(request).await)?.into_inner();
    zeros(what, RESPONSES[0], answered_next(what, responses.message().await)?.payload)?;
    handle.cancel();
    failed(what, Code::Cancelled, responses.message().await).map(drop)
}

pub(super) async fn timeout_on_sleeping_server(target: &Target) -> Result<(), Failure> {
    let what = "FullDuplexCall";
    let (feed, requests) = Feed::new();
    let message = StreamingOutputCallRequest { payload: Some(payload::zeros(REQUESTS[0])), ..Default::default() };
    feed.push(what, Some(message))?;
    let mut request = Request::new(requests);
    request.set_timeout(Duration::from_millis(1));
    let outcome = match target.stub().full_duplex_call(request).await {
        Ok(responses) => responses.into_inner().message().await,
        Err(status) => Err(status),
    };
    failed(what, Code::DeadlineExceeded, outcome).map(drop)
}

/// A request stream that says when it is first asked for a message, and never has one.
#[derive(Debug)]
struct Silence(Option<oneshot::Sender<()>>);

impl Silence {
    fn new() -> (Self, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }
}

impl Stream for Silence {
    type Item = StreamingInputCallRequest;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(asked) = self.0.take() {
            // Nobody listens any more once the call is cancelled.
            let _ = asked.send(());
        }
        Poll::Pending
    }
}
