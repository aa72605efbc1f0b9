//! `client_streaming`, `server_streaming`, `ping_pong` and `empty_stream`.

use std::iter::zip;

use thalweg_proto::interop::{StreamingInputCallRequest, StreamingOutputCallRequest};

use super::{
    expect::{Failure, answered, answered_next, ended, same, zeros},
    request::{Feed, duplex, sized},
    target::Target,
};
use crate::payload::{self, REQUESTS, RESPONSES};

pub(super) async fn client_streaming(target: &Target) -> Result<(), Failure> {
    let what = "StreamingInputCall";
    let request = |size| StreamingInputCallRequest { payload: Some(payload::zeros(size)), expect_compressed: None };
    let requests = tokio_stream::iter(REQUESTS.map(request));
    let response = answered(what, target.stub().streaming_input_call(requests).await)?;
    let expected = payload::wire_size(REQUESTS.iter().sum());
    same(&format!("{what}, aggregated_payload_size"), &expected, &response.get_ref().aggregated_payload_size)
}

pub(super) async fn server_streaming(target: &Target) -> Result<(), Failure> {
    let what = "StreamingOutputCall";
    let response_parameters = RESPONSES.map(sized).to_vec();
    let request = StreamingOutputCallRequest { response_parameters, ..Default::default() };
    let mut responses = answered(what, target.stub().streaming_output_call(request).await)?.into_inner();
    for size in RESPONSES {
        zeros(what, size, answered_next(what, responses.message().await)?.payload)?;
    }
    ended(what, responses.message().await)
}

pub(super) async fn ping_pong(target: &Target) -> Result<(), Failure> {
    let what = "FullDuplexCall";
    let mut pings = zip(REQUESTS, RESPONSES).map(|(request, response)| duplex(request, response));
    let (feed, requests) = Feed::new();
    // Some servers send no headers before their first response, so the first request goes ahead of the call.
    feed.push(what, pings.next())?;
    let mut pongs = answered(what, target.stub().full_duplex_call(requests).await)?.into_inner();
    for size in RESPONSES {
        zeros(what, size, answered_next(what, pongs.message().await)?.payload)?;
        feed.push(what, pings.next())?;
    }
    drop(feed);
    ended(what, pongs.message().await)
}

pub(super) async fn empty_stream(target: &Target) -> Result<(), Failure> {
    let what = "FullDuplexCall";
    let responses = target.stub().full_duplex_call(tokio_stream::empty()).await;
    ended(what, answered(what, responses)?.into_inner().message().await)
}
