//! The health service, called in the process or through a server on a network in memory, on paused time.

mod answers;
mod channel;
mod follow;
mod stop;
mod watch;

use std::time::Duration;

use thalweg_services::health::{
    HealthReporter,
    proto::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest,
        health_check_response::ServingStatus,
        health_client::HealthClient,
        health_server::{Health, HealthServer},
    },
};
use tonic::{Code, Status, Streaming};

/// What the wire says of a service.
pub(crate) const SERVING: ServingStatus = ServingStatus::Serving;
pub(crate) const NOT_SERVING: ServingStatus = ServingStatus::NotServing;
pub(crate) const SERVICE_UNKNOWN: ServingStatus = ServingStatus::ServiceUnknown;

/// Lets this much time pass. Only on paused time.
pub(crate) async fn pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

/// Lets everything happen that happens without time.
pub(crate) async fn settle() {
    pass(Duration::from_micros(1)).await;
}

/// Asks by a client without a network: a stream moves only when its next message is asked for.
pub(crate) fn client(health: &HealthReporter) -> HealthClient<HealthServer<impl Health>> {
    HealthClient::new(health.service())
}

pub(crate) fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

pub(crate) async fn check(health: &HealthReporter, service: &str) -> Result<ServingStatus, Status> {
    client(health).check(about(service)).await.map(|response| response.into_inner().status())
}

pub(crate) async fn list(health: &HealthReporter) -> Result<Vec<(String, ServingStatus)>, Status> {
    let response = client(health).list(HealthListRequest {}).await?.into_inner();
    let mut all: Vec<_> = response.statuses.into_iter().map(|(name, status)| (name, status.status())).collect();
    all.sort_unstable();
    Ok(all)
}

/// A watcher of one service.
pub(crate) struct Watch(pub(crate) Streaming<HealthCheckResponse>);

impl Watch {
    pub(crate) async fn of(health: &HealthReporter, service: &str) -> Self {
        Self(client(health).watch(about(service)).await.unwrap().into_inner())
    }

    /// What comes next; `None` if the stream ends.
    pub(crate) async fn next(&mut self) -> Option<ServingStatus> {
        self.0.message().await.unwrap().map(|message| message.status())
    }

    /// Nothing comes for an hour.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        tokio::time::timeout(Duration::from_secs(3600), self.next()).await.is_err()
    }
}

/// The code of an answer that is none.
pub(crate) fn code<T>(answer: Result<T, Status>) -> Code {
    answer.err().map_or(Code::Ok, |status| status.code())
}
