//! Tests of the service, called without a network.

use thalweg_proto::interop::{
    EchoStatus, ResponseParameters, test_service_client::TestServiceClient, test_service_server::TestServiceServer,
};
use tokio_stream::StreamExt;
use tonic::{Code, codec::CompressionEncoding::Gzip};

use super::*;
use crate::framing::{ClientFraming, ServerFraming};

type Stub = TestServiceClient<ClientFraming<ServerFraming<TestServiceServer<Answering>>>>;

/// A stub whose calls go straight into the service.
fn stub() -> Stub {
    let service = TestServiceServer::new(Answering).accept_compressed(Gzip).send_compressed(Gzip);
    TestServiceClient::new(ClientFraming(ServerFraming(service)))
}

fn on<T>(wire: &Wire, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(wire.clone());
    request
}

#[tokio::test]
async fn a_request_that_only_claims_to_be_compressed_is_refused() {
    let request = SimpleRequest { expect_compressed: payload::flag(true), ..Default::default() };
    let status = stub().unary_call(request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.message(), "the message claims to be compressed and arrived uncompressed");
    stub().send_compressed(Gzip).unary_call(request).await.unwrap();
}

#[tokio::test]
async fn each_message_of_a_stream_is_judged_by_its_own_flag() {
    let wire = Wire::default();
    [true, false].into_iter().for_each(|compressed| wire.plan.push(compressed));
    let claim = |value| StreamingInputCallRequest { payload: Some(payload::zeros(3)), expect_compressed: value };
    let requests = tokio_stream::iter([true, false].map(|value| claim(payload::flag(value))));
    let response = stub().send_compressed(Gzip).streaming_input_call(on(&wire, requests)).await.unwrap();
    assert_eq!(response.into_inner().aggregated_payload_size, 6);
}

#[tokio::test]
async fn a_unary_response_is_compressed_only_if_asked() {
    for (asked, expected) in [(None, false), (payload::flag(false), false), (payload::flag(true), true)] {
        let wire = Wire::default();
        let request = SimpleRequest { response_compressed: asked, response_size: 100, ..Default::default() };
        let response = stub().accept_compressed(Gzip).unary_call(on(&wire, request)).await.unwrap();
        assert_eq!(response.into_inner().payload, Some(payload::zeros(100)));
        assert_eq!(wire.received.take_flag(), Some(expected), "asked {asked:?}");
    }
}

#[tokio::test]
async fn a_stream_compresses_message_by_message() {
    let wire = Wire::default();
    let sized = |compressed| ResponseParameters { size: 10, compressed: payload::flag(compressed), interval_us: 0 };
    let response_parameters = [true, false, true].map(sized).to_vec();
    let request = StreamingOutputCallRequest { response_parameters, ..Default::default() };
    let responses = stub().accept_compressed(Gzip).streaming_output_call(on(&wire, request)).await.unwrap();
    let responses: Vec<_> = responses.into_inner().collect().await;
    assert_eq!(responses.len(), 3);
    assert_eq!([(); 3].map(|()| wire.received.take_flag()), [Some(true), Some(false), Some(true)]);
}

#[tokio::test]
async fn a_caller_that_takes_no_gzip_gets_none() {
    let wire = Wire::default();
    let request = SimpleRequest { response_compressed: payload::flag(true), ..Default::default() };
    stub().unary_call(on(&wire, request)).await.unwrap();
    assert_eq!(wire.received.take_flag(), Some(false));
}

#[tokio::test]
async fn an_echoed_status_ends_a_stream_before_later_requests_are_answered() {
    let sized = |size| ResponseParameters { size, ..Default::default() };
    let answer = StreamingOutputCallRequest { response_parameters: vec![sized(1)], ..Default::default() };
    let status = EchoStatus { code: Code::Aborted as i32, message: "enough".to_owned() };
    let end = StreamingOutputCallRequest { response_status: Some(status), ..Default::default() };
    let requests = tokio_stream::iter([answer.clone(), end, answer]);
    let mut responses = stub().full_duplex_call(requests).await.unwrap().into_inner();
    assert!(responses.message().await.unwrap().is_some());
    let status = responses.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Aborted, "enough"));
}

#[tokio::test]
async fn a_response_of_negative_size_is_the_callers_mistake() {
    let request = SimpleRequest { response_size: -1, ..Default::default() };
    let status = stub().unary_call(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}
