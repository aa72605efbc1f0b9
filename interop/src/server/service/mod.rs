//! `grpc.testing.TestService`: what the test descriptions ask of a server.

use std::{
    pin::Pin,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::stream;
use thalweg_proto::interop::{
    BoolValue, Empty, Payload, SimpleRequest, SimpleResponse, StreamingInputCallRequest, StreamingInputCallResponse,
    StreamingOutputCallRequest, StreamingOutputCallResponse, test_service_server::TestService,
};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming, metadata::MetadataValue};

use super::{
    answers::{self, Answers},
    echo,
};
use crate::{framing::Wire, payload};

#[cfg(test)]
mod tests;

/// The service of the interoperability tests. Every method answers as its request asks, except `UnimplementedCall`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answering;

type Responses = Pin<Box<dyn Stream<Item = Result<StreamingOutputCallResponse, Status>> + Send>>;

#[tonic::async_trait]
impl TestService for Answering {
    type StreamingOutputCallStream = Responses;
    type FullDuplexCallStream = Responses;
    type HalfDuplexCallStream = Responses;

    async fn empty_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Ok(Response::new(Empty {}))
    }

    async fn unary_call(&self, request: Request<SimpleRequest>) -> Result<Response<SimpleResponse>, Status> {
        expect_flag(&wire_of(&request), request.get_ref().expect_compressed)?;
        let echo = echo::metadata(&request);
        let asked = request.into_inner();
        echo::status(asked.response_status)?;
        let body = Some(answers::sized(asked.response_size)?);
        let mut response = Response::new(SimpleResponse { payload: body, ..Default::default() });
        if !asked.response_compressed.unwrap_or_default().value {
            response.disable_compression();
        }
        *response.metadata_mut() = echo;
        Ok(response)
    }

    async fn cacheable_unary_call(&self, _: Request<SimpleRequest>) -> Result<Response<SimpleResponse>, Status> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let body = Payload { body: now.to_string().into_bytes() };
        let mut response = Response::new(SimpleResponse { payload: Some(body), ..Default::default() });
        response.metadata_mut().insert("cache-control", MetadataValue::from_static("max-age=60, public"));
        Ok(response)
    }

    async fn streaming_output_call(
        &self,
        request: Request<StreamingOutputCallRequest>,
    ) -> Result<Response<Responses>, Status> {
        let wire = wire_of(&request);
        let asked = stream::iter([Ok(request.into_inner())]);
        Ok(Response::new(Box::pin(Answers::new(asked, wire.plan).into_stream())))
    }

    async fn streaming_input_call(
        &self,
        request: Request<Streaming<StreamingInputCallRequest>>,
    ) -> Result<Response<StreamingInputCallResponse>, Status> {
        let wire = wire_of(&request);
        let mut requests = request.into_inner();
        let mut total = 0;
        while let Some(request) = requests.message().await? {
            expect_flag(&wire, request.expect_compressed)?;
            total += request.payload.unwrap_or_default().body.len();
        }
        let aggregated_payload_size = payload::wire_size(total);
        Ok(Response::new(StreamingInputCallResponse { aggregated_payload_size }))
    }

    async fn full_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Responses>, Status> {
        let wire = wire_of(&request);
        let echo = echo::metadata(&request);
        let answers = Answers::new(request.into_inner(), wire.plan).into_stream();
        let mut response: Response<Responses> = Response::new(Box::pin(answers));
        *response.metadata_mut() = echo;
        Ok(response)
    }

    async fn half_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Responses>, Status> {
        let wire = wire_of(&request);
        let mut requests = request.into_inner();
        let mut asked = Vec::new();
        while let Some(request) = requests.message().await? {
            asked.push(Ok(request));
        }
        Ok(Response::new(Box::pin(Answers::new(stream::iter(asked), wire.plan).into_stream())))
    }

    async fn unimplemented_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Err(Status::unimplemented("UnimplementedCall is there to be missing"))
    }
}

/// The record of the call, which the framing below the codec put into the request.
fn wire_of<T>(request: &Request<T>) -> Wire {
    request.extensions().get::<Wire>().cloned().unwrap_or_default()
}

/// Refuses a message whose compressed flag on the wire is not the one it claims to have.
fn expect_flag(wire: &Wire, expected: Option<BoolValue>) -> Result<(), Status> {
    let seen = wire.received.take_flag();
    match expected {
        Some(BoolValue { value }) if seen != Some(value) => {
            let (claim, seen) = (described(Some(value)), described(seen));
            Err(Status::invalid_argument(format!("the message claims to be {claim} and arrived {seen}")))
        }
        _ => Ok(()),
    }
}

fn described(flag: Option<bool>) -> &'static str {
    match flag {
        Some(true) => "compressed",
        Some(false) => "uncompressed",
        None => "unseen",
    }
}
