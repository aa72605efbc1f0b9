//! `custom_metadata`: what the server echoes in front of its response, and behind it.

use thalweg_proto::interop::{SimpleRequest, StreamingOutputCallRequest};
use tonic::{
    Request,
    metadata::{AsciiMetadataValue, BinaryMetadataValue, MetadataMap},
};

use super::{
    expect::{Failure, answered, answered_next, ended, same, zeros},
    request,
    target::Target,
};
use crate::{
    framing::Wire,
    payload::{ECHO_INITIAL, ECHO_TRAILING, LARGE_REQUEST, LARGE_RESPONSE},
};

const INITIAL: &str = "test_initial_metadata_value";
const TRAILING: &[u8] = &[0xab, 0xab, 0xab];

pub(super) async fn custom(target: &Target) -> Result<(), Failure> {
    unary(target).await?;
    duplex(target).await
}

async fn unary(target: &Target) -> Result<(), Failure> {
    let what = "UnaryCall";
    let wire = Wire::default();
    let response = answered(what, target.stub().unary_call(marked::<SimpleRequest>(request::large(), &wire)).await)?;
    // The stub gives one map for both ends of a unary call: where each key came from is seen below the codec.
    let merged = response.metadata();
    echoed(what, merged, merged)?;
    zeros(what, LARGE_RESPONSE, response.into_inner().payload)?;
    on_the_wire(what, &wire)
}

async fn duplex(target: &Target) -> Result<(), Failure> {
    let what = "FullDuplexCall";
    let wire = Wire::default();
    let message: StreamingOutputCallRequest = request::duplex(LARGE_REQUEST, LARGE_RESPONSE);
    let request = marked(tokio_stream::once(message), &wire);
    let response = answered(what, target.stub().full_duplex_call(request).await)?;
    let initial = response.metadata().clone();
    let mut responses = response.into_inner();
    zeros(what, LARGE_RESPONSE, answered_next(what, responses.message().await)?.payload)?;
    ended(what, responses.message().await)?;
    let trailing = answered(what, responses.trailers().await)?.unwrap_or_default();
    echoed(what, &initial, &trailing)?;
    on_the_wire(what, &wire)
}

/// A request with the metadata to be echoed.
fn marked<T>(message: T, wire: &Wire) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(ECHO_INITIAL, AsciiMetadataValue::from_static(INITIAL));
    request.metadata_mut().insert_bin(ECHO_TRAILING, BinaryMetadataValue::from_bytes(TRAILING));
    request.extensions_mut().insert(wire.clone());
    request
}

/// Each key came where it belongs, and nowhere else.
fn on_the_wire(what: &str, wire: &Wire) -> Result<(), Failure> {
    let initial = MetadataMap::from_headers(wire.received.headers());
    let trailing = MetadataMap::from_headers(wire.received.trailers());
    echoed(what, &initial, &trailing)?;
    same(&format!("{what}, {ECHO_TRAILING} in the initial metadata"), &false, &initial.contains_key(ECHO_TRAILING))?;
    same(&format!("{what}, {ECHO_INITIAL} in the trailing metadata"), &false, &trailing.contains_key(ECHO_INITIAL))
}

fn echoed(what: &str, initial: &MetadataMap, trailing: &MetadataMap) -> Result<(), Failure> {
    let expected = Some(AsciiMetadataValue::from_static(INITIAL));
    let got = initial.get(ECHO_INITIAL).cloned();
    same(&format!("{what}, {ECHO_INITIAL} in the initial metadata"), &expected, &got)?;
    let expected = Some(BinaryMetadataValue::from_bytes(TRAILING));
    let got = trailing.get_bin(ECHO_TRAILING).cloned();
    same(&format!("{what}, {ECHO_TRAILING} in the trailing metadata"), &expected, &got)
}
