//! A channel on a network in memory whose names a test sets, and backends that sign their replies.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use http::uri::PathAndQuery;
use thalweg::{
    Channel,
    channel::ChannelBuilder,
    core::endpoint::Endpoint,
    registry::Registry,
    request::RequestExt,
    resolver::{ResolverUpdate, manual::ManualResolver},
};
use thalweg_testkit::{
    network::Network,
    stub::{RawCodec, Stub, StubServer},
};
use tonic::{Request, Response, Status, client::Grpc};

/// Answers with the backend's address.
pub(super) const WHO: &str = "/test.Backend/Who";

/// A network, and the name that leads into it.
pub(super) struct World {
    pub(super) network: Network,
    pub(super) names: ManualResolver,
}

impl World {
    pub(super) fn new() -> Self {
        Self { network: Network::new(), names: ManualResolver::new("names") }
    }

    /// Starts a backend.
    pub(super) async fn backend(&self, address: &'static str) -> StubServer {
        let who = move |_| async move { Ok(Response::new(Bytes::from_static(address.as_bytes()))) };
        Stub::new().unary(WHO, who).serve(self.network.listen(address)).await
    }

    /// What the name resolves to, if these are its backends.
    pub(super) fn update(&self, addresses: &[&str]) -> ResolverUpdate {
        let endpoints = addresses.iter().map(|address| Endpoint::new([self.network.host(address).address()])).collect();
        ResolverUpdate { endpoints, ..ResolverUpdate::default() }
    }

    /// A channel to the name.
    pub(super) fn builder(&self) -> ChannelBuilder {
        let registry = Registry::default().with_resolver(self.names.clone());
        Channel::builder("names:greeter").registry(registry).connector(self.network.clone())
    }

    pub(super) fn channel(&self) -> Channel {
        self.builder().build().unwrap()
    }
}

/// A call that fails at once if there is no backend.
pub(super) async fn call(channel: &Channel) -> Result<String, Status> {
    send(channel, Request::new(Bytes::new())).await
}

/// A call that waits for a backend.
pub(super) async fn call_patiently(channel: &Channel) -> Result<String, Status> {
    let mut request = Request::new(Bytes::new());
    request.set_wait_for_ready(true);
    send(channel, request).await
}

async fn send(channel: &Channel, request: Request<Bytes>) -> Result<String, Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await?;
    let response = client.unary(request, PathAndQuery::from_static(WHO), RawCodec).await?;
    Ok(String::from_utf8(response.into_inner().to_vec()).unwrap())
}

/// Calls until `backend` answers.
pub(super) async fn call_until(channel: &Channel, backend: &str) {
    while call_patiently(channel).await.unwrap() != backend {}
}

/// Does nothing happen for a minute?
pub(super) async fn is_quiet(event: impl Future) -> bool {
    tokio::time::timeout(Duration::from_secs(60), event).await.is_err()
}
