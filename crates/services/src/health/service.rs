//! The methods of `grpc.health.v1`.

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, stream};
use thalweg::context::ServerRequestExt;
use thalweg_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
    health_server::{Health, HealthServer},
};
use tonic::{Request, Response, Status, async_trait};

use super::{Board, status::message, watcher::Watcher};

/// How many services `List` lists at most (A90).
const LIST_LIMIT: usize = 100;
/// The largest request, in bytes: a name is kept for as long as somebody watches it. How many strangers' names that can be
/// is bounded by the streams a client may have open, as with any stream (`max_concurrent_streams` of each connection).
const LARGEST_REQUEST: usize = 4096;

/// Answers from a board.
#[derive(Debug)]
pub(super) struct HealthService(Arc<Board>);

impl HealthService {
    pub(super) fn server(board: Arc<Board>) -> HealthServer<Self> {
        HealthServer::new(Self(board)).max_decoding_message_size(LARGEST_REQUEST)
    }
}

#[async_trait]
impl Health for HealthService {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        match self.0.status(&request.get_ref().service) {
            Some(status) => Ok(Response::new(message(Some(status)))),
            // It is not repeated: the name came from anybody.
            None => Err(Status::not_found("the server reports nothing about this service")),
        }
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        let known = self.0.list(LIST_LIMIT).ok_or_else(|| {
            Status::resource_exhausted(format!("the server reports about more than {LIST_LIMIT} services"))
        })?;
        let statuses = known.into_iter().map(|(name, status)| (name, message(Some(status)))).collect();
        Ok(Response::new(HealthListResponse { statuses }))
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let going_away = request.going_away();
        let watcher = Watcher::new(Arc::clone(&self.0), request.into_inner().service, going_away);
        let statuses = stream::unfold(watcher, |mut watcher| async {
            let status = watcher.next().await?;
            Some((Ok(status), watcher))
        });
        Ok(Response::new(Box::pin(statuses)))
    }
}
