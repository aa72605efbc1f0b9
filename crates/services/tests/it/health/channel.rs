//! Both halves together: a channel that minds the health of its backends (A17) calls servers that report it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use thalweg::{
    Channel, Server,
    core::endpoint::Endpoint,
    registry::Registry,
    resolver::ResolverUpdate,
    resolver::manual::ManualResolver,
    server::{ServerBuilder, ServerHandle},
};
use thalweg_services::health::{HealthReporter, ServingStatus};
use thalweg_testkit::{
    network::Network,
    stub::{RawCodec, Stub},
};
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status, client::Grpc, codegen::http::uri::PathAndQuery};

use super::pass;

const S: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);
const SERVICE: &str = "shop.Cart";
const METHOD: &str = "/shop.Cart/Put";
const CONFIG: &str =
    r#"{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "shop.Cart"}}"#;

/// A server that counts its calls and reports its health.
struct Backend {
    health: HealthReporter,
    calls: Arc<AtomicUsize>,
    handle: ServerHandle,
}

impl Backend {
    async fn start(network: &Network, address: &str, configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let (health, calls) = (HealthReporter::new(), Arc::new(AtomicUsize::new(0)));
        health.set(SERVICE, ServingStatus::Serving);
        let counted = Arc::clone(&calls);
        let stub = Stub::new().unary(METHOD, move |request: Request<Bytes>| {
            counted.fetch_add(1, Relaxed);
            async move {
                pass(MS * 3).await;
                Ok(Response::new(request.into_inner()))
            }
        });
        let server = Server::builder().add_route(SERVICE, stub).extension(health.clone());
        let server = configure(server).listen(network.listen(address)).bind().await.unwrap();
        let handle = server.handle();
        tokio::spawn(server.run());
        Self { health, calls, handle }
    }

    fn calls(&self) -> usize {
        self.calls.load(Relaxed)
    }
}

fn channel(network: &Network, addresses: &[&str]) -> Channel {
    let endpoints = addresses.iter().map(|address| Endpoint::new([network.host(address).address()])).collect();
    let names = ManualResolver::new("names");
    names.set(ResolverUpdate { endpoints, ..ResolverUpdate::default() });
    let registry = Registry::default().with_resolver(names);
    let builder = Channel::builder("names:shop").registry(registry).connector(network.clone());
    builder.default_service_config(CONFIG).build().unwrap()
}

async fn put(channel: Channel) -> Result<(), Status> {
    let mut client = Grpc::new(channel);
    client.ready().await?;
    let method = PathAndQuery::from_static(METHOD);
    client.unary(Request::new(Bytes::new()), method, RawCodec).await.map(drop)
}

/// A call every millisecond until it is told to end; the number of calls, none of which may fail.
fn load(channel: &Channel, time: Duration) -> JoinHandle<usize> {
    let channel = channel.clone();
    tokio::spawn(async move {
        let mut calls = vec![];
        for _ in 0..time.as_millis() {
            calls.push(tokio::spawn(put(channel.clone())));
            pass(MS).await;
        }
        let made = calls.len();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        made
    })
}

#[tokio::test(start_paused = true)]
async fn calls_leave_a_server_that_stops_before_it_says_goodbye_and_none_fails() {
    let network = Network::new();
    let one = Backend::start(&network, "10.0.0.1:50051", |server| server.drain_time(S)).await;
    let two = Backend::start(&network, "10.0.0.2:50051", |server| server).await;
    let channel = channel(&network, &["10.0.0.1:50051", "10.0.0.2:50051"]);
    let load = load(&channel, S * 3);
    pass(MS * 500).await;
    assert!(one.calls() > 200, "{}", one.calls());
    let handle = one.handle.clone();
    let stop = tokio::spawn(async move { handle.graceful_stop(S * 30).await });
    pass(MS * 50).await;
    let by_then = one.calls();
    pass(MS * 800).await;
    assert_eq!(one.calls(), by_then);
    assert!(!stop.is_finished());
    stop.await.unwrap();
    assert_eq!(load.await.unwrap(), one.calls() + two.calls());
}

#[tokio::test(start_paused = true)]
async fn calls_follow_health_back_and_forth_and_none_fails() {
    let network = Network::new();
    let one = Backend::start(&network, "10.0.0.1:50051", |server| server).await;
    let two = Backend::start(&network, "10.0.0.2:50051", |server| server).await;
    let channel = channel(&network, &["10.0.0.1:50051", "10.0.0.2:50051"]);
    let load = load(&channel, S * 4);
    for _ in 0..10 {
        pass(MS * 100).await;
        one.health.set(SERVICE, ServingStatus::NotServing);
        pass(MS * 50).await;
        let by_then = one.calls();
        pass(MS * 100).await;
        assert_eq!(one.calls(), by_then);
        // Of the server as a whole nobody asked.
        one.health.set("", ServingStatus::NotServing);
        one.health.set(SERVICE, ServingStatus::Serving);
        pass(MS * 100).await;
        assert!(one.calls() > by_then);
    }
    assert_eq!(load.await.unwrap(), one.calls() + two.calls());
}

#[tokio::test(start_paused = true)]
async fn no_call_fails_when_connections_and_their_watches_end_for_age() {
    let network = Network::new();
    let one = Backend::start(&network, "10.0.0.1:50051", |server| server.max_connection_age(S / 5)).await;
    let channel = channel(&network, &["10.0.0.1:50051"]);
    assert_eq!(load(&channel, S * 5).await.unwrap(), one.calls());
}
