//! The cases for a server of files: what a response is to a client of gRPC if nobody made it one
//! (doc/http-grpc-status-mapping).

use futures_util::future;
use http::uri::PathAndQuery;
use thalweg_proto::interop::{SimpleRequest, SimpleResponse};
use tonic::{Code, Request, Status, client::Grpc};
use tonic_prost::ProstCodec;

use super::{
    expect::{Failure, answered, failed, zeros},
    request,
    target::Target,
};
use crate::payload::{FILE, LARGE_FILE};

const MESSAGE: &str = "/files/message.grpc";
const LARGE: &str = "/files/large.grpc";
const UNTYPED: &str = "/files/untyped";
const MISSING: &str = "/files/missing";

/// How many calls a crowd is.
const CROWD: usize = 100;

pub(super) async fn message(target: &Target) -> Result<(), Failure> {
    holds(FILE, MESSAGE, fetch(target, MESSAGE, SimpleRequest::default()).await)
}

pub(super) async fn large(target: &Target) -> Result<(), Failure> {
    holds(LARGE_FILE, LARGE, fetch(target, LARGE, SimpleRequest::default()).await)
}

/// Many calls at once: those beyond what the server allows wait for their turn.
pub(super) async fn crowd(target: &Target) -> Result<(), Failure> {
    let calls = (0..CROWD).map(|_| message(target));
    future::try_join_all(calls).await.map(drop)
}

/// A request larger than the server's windows.
pub(super) async fn upload(target: &Target) -> Result<(), Failure> {
    holds(FILE, MESSAGE, fetch(target, MESSAGE, request::large()).await)
}

/// A server that does not read a large request to its end, and resets the call without an error in front of its trailers.
pub(super) async fn cut_off(target: &Target) -> Result<(), Failure> {
    failed(MESSAGE, Code::Internal, fetch(target, MESSAGE, request::large()).await).map(drop)
}

/// Without a content-type it is no gRPC response, whatever HTTP's status and the trailers say.
pub(super) async fn untyped(target: &Target) -> Result<(), Failure> {
    failed(UNTYPED, Code::Unknown, fetch(target, UNTYPED, SimpleRequest::default()).await).map(drop)
}

/// HTTP's 404 is UNIMPLEMENTED, whatever the trailers of the page say.
pub(super) async fn missing(target: &Target) -> Result<(), Failure> {
    failed(MISSING, Code::Unimplemented, fetch(target, MISSING, SimpleRequest::default()).await).map(drop)
}

/// A gRPC response that ends without trailers lacks its status.
pub(super) async fn unfinished(target: &Target) -> Result<(), Failure> {
    failed(MESSAGE, Code::Internal, fetch(target, MESSAGE, SimpleRequest::default()).await).map(drop)
}

fn holds(size: usize, path: &'static str, outcome: Result<SimpleResponse, Status>) -> Result<(), Failure> {
    zeros(path, size, answered(path, outcome)?.payload)
}

async fn fetch(target: &Target, path: &'static str, request: SimpleRequest) -> Result<SimpleResponse, Status> {
    let mut caller = Grpc::new(target.channel());
    caller.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let codec = ProstCodec::<SimpleRequest, SimpleResponse>::default();
    caller.unary(Request::new(request), PathAndQuery::from_static(path), codec).await.map(tonic::Response::into_inner)
}
