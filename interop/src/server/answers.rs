//! The responses of a stream, made one by one as the requests ask for them.

use std::{collections::VecDeque, time::Duration};

use futures_util::stream;
use thalweg_proto::interop::{Payload, ResponseParameters, StreamingOutputCallRequest, StreamingOutputCallResponse};
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

use super::echo;
use crate::{framing::Plan, payload};

/// Answers a stream of requests, in order.
#[derive(Debug)]
pub(super) struct Answers<S> {
    requests: S,
    asked: VecDeque<ResponseParameters>,
    plan: Plan,
}

impl<S> Answers<S>
where
    S: Stream<Item = Result<StreamingOutputCallRequest, Status>> + Send + Unpin,
{
    pub(super) fn new(requests: S, plan: Plan) -> Self {
        Self { requests, asked: VecDeque::new(), plan }
    }

    /// One response for each of the parameters of each request; ends as soon as a request asks for a status.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<StreamingOutputCallResponse, Status>> + Send {
        stream::try_unfold(
            self,
            |mut answers| async move { Ok(answers.next().await?.map(|response| (response, answers))) },
        )
    }

    async fn next(&mut self) -> Result<Option<StreamingOutputCallResponse>, Status> {
        loop {
            if let Some(parameters) = self.asked.pop_front() {
                return respond(parameters, &self.plan).await.map(Some);
            }
            let Some(request) = self.requests.next().await.transpose()? else { return Ok(None) };
            echo::status(request.response_status)?;
            self.asked.extend(request.response_parameters);
        }
    }
}

async fn respond(parameters: ResponseParameters, plan: &Plan) -> Result<StreamingOutputCallResponse, Status> {
    if let Ok(micros @ 1..) = u64::try_from(parameters.interval_us) {
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
    let body = sized(parameters.size)?;
    plan.push(parameters.compressed.unwrap_or_default().value);
    Ok(StreamingOutputCallResponse { payload: Some(body) })
}

/// The payload of the size a request asks for; a negative size is the caller's mistake.
pub(super) fn sized(size: i32) -> Result<Payload, Status> {
    let size = usize::try_from(size)
        .map_err(|_| Status::invalid_argument(format!("a response of {size} bytes was asked for")))?;
    Ok(payload::zeros(size))
}
