//! The compression cases, with the compressed flag of every message read from the wire.

use thalweg_proto::interop::{
    ResponseParameters, SimpleRequest, StreamingInputCallRequest, StreamingOutputCallRequest,
};
use tonic::{Code, Request, codec::CompressionEncoding::Gzip};

use super::{
    expect::{Failure, answered, answered_next, ended, failed, same, zeros},
    request,
    target::{Stub, Target},
};
use crate::{
    framing::{Flow, Wire},
    payload::{self, LARGE_RESPONSE, REQUESTS},
};

pub(super) async fn client_unary(target: &Target) -> Result<(), Failure> {
    let what = "UnaryCall, the probe";
    let wire = Wire::default();
    let probe = on(&wire, SimpleRequest { expect_compressed: payload::flag(true), ..request::large() });
    failed(what, Code::InvalidArgument, target.stub().unary_call(probe).await)?;
    flag(what, "request", false, &wire.sent)?;
    let plain = target.stub();
    for (stub, compressed) in [(plain.clone().send_compressed(Gzip), true), (plain, false)] {
        expecting(stub, compressed).await?;
    }
    Ok(())
}

/// A unary call that says whether it is compressed, and is what it says.
async fn expecting(mut stub: Stub, compressed: bool) -> Result<(), Failure> {
    let what = &format!("UnaryCall, expect_compressed {compressed}");
    let wire = Wire::default();
    let request = SimpleRequest { expect_compressed: payload::flag(compressed), ..request::large() };
    let response = answered(what, stub.unary_call(on(&wire, request)).await)?;
    zeros(what, LARGE_RESPONSE, response.into_inner().payload)?;
    flag(what, "request", compressed, &wire.sent)
}

pub(super) async fn server_unary(target: &Target) -> Result<(), Failure> {
    let mut stub = target.stub().accept_compressed(Gzip);
    for compressed in [true, false] {
        let what = &format!("UnaryCall, response_compressed {compressed}");
        let wire = Wire::default();
        let request = SimpleRequest { response_compressed: payload::flag(compressed), ..request::large() };
        let response = answered(what, stub.unary_call(on(&wire, request)).await)?;
        zeros(what, LARGE_RESPONSE, response.into_inner().payload)?;
        flag(what, "response", compressed, &wire.received)?;
    }
    Ok(())
}

pub(super) async fn client_streaming(target: &Target) -> Result<(), Failure> {
    let what = "StreamingInputCall, the probe";
    let [first, .., last] = REQUESTS;
    let wire = Wire::default();
    let probe = on(&wire, tokio_stream::once(input(first, true)));
    failed(what, Code::InvalidArgument, target.stub().streaming_input_call(probe).await)?;
    flag(what, "request", false, &wire.sent)?;

    let what = "StreamingInputCall";
    let wire = Wire::default();
    wire.plan.push(true);
    wire.plan.push(false);
    let requests = on(&wire, tokio_stream::iter([input(first, true), input(last, false)]));
    let mut stub = target.stub().send_compressed(Gzip);
    let response = answered(what, stub.streaming_input_call(requests).await)?.into_inner();
    let expected = payload::wire_size(first + last);
    same(&format!("{what}, aggregated_payload_size"), &expected, &response.aggregated_payload_size)?;
    flag(what, "first request", true, &wire.sent)?;
    flag(what, "second request", false, &wire.sent)
}

pub(super) async fn server_streaming(target: &Target) -> Result<(), Failure> {
    let what = "StreamingOutputCall";
    let asked = [(31_415, true), (92_653, false)];
    let sized =
        |(size, compressed)| ResponseParameters { compressed: payload::flag(compressed), ..request::sized(size) };
    let request = StreamingOutputCallRequest { response_parameters: asked.map(sized).to_vec(), ..Default::default() };
    let wire = Wire::default();
    let mut stub = target.stub().accept_compressed(Gzip);
    let mut responses = answered(what, stub.streaming_output_call(on(&wire, request)).await)?.into_inner();
    for (size, compressed) in asked {
        let what = &format!("{what}, compressed {compressed}");
        zeros(what, size, answered_next(what, responses.message().await)?.payload)?;
        flag(what, "response", compressed, &wire.received)?;
    }
    ended(what, responses.message().await)
}

fn input(size: usize, compressed: bool) -> StreamingInputCallRequest {
    StreamingInputCallRequest { payload: Some(payload::zeros(size)), expect_compressed: payload::flag(compressed) }
}

/// A request whose call is recorded.
fn on<T>(wire: &Wire, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(wire.clone());
    request
}

/// Fails unless the next message that passed was compressed as expected.
fn flag(what: &str, which: &str, expected: bool, flow: &Flow) -> Result<(), Failure> {
    same(&format!("{what}, compressed flag of the {which}"), &Some(expected), &flow.take_flag())
}
