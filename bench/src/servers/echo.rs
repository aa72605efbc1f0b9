//! The generated service: does nothing but return what it gets, at once or after a while.

use std::time::Duration;

use bytes::Bytes;
use thalweg_proto::bench::{DownloadRequest, Payload, echo_server::Echo};
use tonic::{Request, Response, Status, Streaming, codegen::BoxStream};

/// The echo service.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EchoService {
    /// What a unary call takes.
    pub(super) delay: Duration,
}

#[tonic::async_trait]
impl Echo for EchoService {
    type StreamStream = Streaming<Payload>;
    type DownloadStream = BoxStream<Payload>;

    async fn unary(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        Ok(Response::new(request.into_inner()))
    }

    async fn stream(&self, request: Request<Streaming<Payload>>) -> Result<Response<Self::StreamStream>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn download(&self, request: Request<DownloadRequest>) -> Result<Response<Self::DownloadStream>, Status> {
        let wanted = request.into_inner();
        let body = Bytes::from(vec![b'x'; wanted.message_bytes as usize]);
        let messages = (0..wanted.messages).map(move |_| Ok(Payload { body: body.clone() }));
        Ok(Response::new(Box::pin(tokio_stream::iter(messages))))
    }
}
