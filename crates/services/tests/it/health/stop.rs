//! Shutdown and resume, and what a server's stop makes of them.

use std::time::Duration;

use thalweg::{Channel, Server, server::ServerHandle};
use thalweg_services::health::{
    HealthReporter,
    ServingStatus::{NotServing, Serving, Unknown},
    proto::health_client::HealthClient,
};
use thalweg_testkit::network::Network;
use tokio::{task::JoinHandle, time::Instant};
use tonic::Code;

use super::{NOT_SERVING, SERVICE_UNKNOWN, SERVING, Watch, about, settle};

const S: Duration = Duration::from_secs(1);
const HERE: &str = "10.0.0.1:50051";

#[tokio::test(start_paused = true)]
async fn a_shutdown_overrules_everything_until_it_is_resumed() {
    let health = HealthReporter::new();
    health.set("a", Unknown);
    let (mut watch, mut unknown) = (Watch::of(&health, "").await, Watch::of(&health, "b").await);
    assert_eq!(watch.next().await, Some(SERVING));
    assert_eq!(unknown.next().await, Some(SERVICE_UNKNOWN));
    health.shutdown();
    assert_eq!(watch.next().await, Some(NOT_SERVING));
    health.set("", Serving);
    health.set("b", Serving);
    health.clear("a");
    assert_eq!((health.status("a"), health.status("b")), (Some(NotServing), None));
    assert!(watch.is_quiet().await);
    health.resume();
    assert_eq!(watch.next().await, Some(SERVING));
    assert_eq!((health.status("a"), health.status("b")), (Some(Serving), None));
    assert!(unknown.is_quiet().await);
    health.set("b", NotServing);
    assert_eq!(unknown.next().await, Some(NOT_SERVING));
}

/// A server with nothing but its health.
struct Stage {
    health: HealthReporter,
    handle: ServerHandle,
    channel: Channel,
    run: JoinHandle<()>,
}

impl Stage {
    async fn set(drain_time: Duration) -> Self {
        let (network, health) = (Network::new(), HealthReporter::new());
        let server = Server::builder().extension(health.clone()).drain_time(drain_time).listen(network.listen(HERE));
        let server = server.max_connection_age(S * 1000).bind().await.unwrap();
        let channel = Channel::builder(format!("ipv4:{HERE}")).connector(network.clone()).build().unwrap();
        Self { health, handle: server.handle(), channel, run: tokio::spawn(server.run()) }
    }

    async fn watch(&self, service: &str) -> Watch {
        let mut client = HealthClient::new(self.channel.clone());
        Watch(client.watch(about(service)).await.unwrap().into_inner())
    }

    fn stop(&self) -> JoinHandle<()> {
        let handle = self.handle.clone();
        tokio::spawn(async move { handle.graceful_stop(S * 60).await })
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_says_so_first_serves_its_drain_time_and_ends_who_watches() {
    let stage = Stage::set(S * 5).await;
    let (mut watch, mut unknown) = (stage.watch("").await, stage.watch("a").await);
    assert_eq!(watch.next().await, Some(SERVING));
    assert_eq!(unknown.next().await, Some(SERVICE_UNKNOWN));
    let (begun, stop) = (Instant::now(), stage.stop());
    assert_eq!(watch.next().await, Some(NOT_SERVING));
    assert!(begun.elapsed() < S, "{:?}", begun.elapsed());
    let answer = HealthClient::new(stage.channel.clone()).check(about("")).await.unwrap();
    assert_eq!(answer.into_inner().status(), NOT_SERVING);
    assert_eq!((watch.next().await, unknown.next().await), (None, None));
    assert_eq!(begun.elapsed().as_secs(), 5);
    stop.await.unwrap();
    stage.run.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn without_a_drain_time_who_watches_hears_it_all_the_same_and_nobody_waits() {
    let stage = Stage::set(Duration::ZERO).await;
    let mut watch = stage.watch("").await;
    assert_eq!(watch.next().await, Some(SERVING));
    let (begun, stop) = (Instant::now(), stage.stop());
    assert_eq!(watch.next().await, Some(NOT_SERVING));
    assert_eq!(watch.next().await, None);
    stop.await.unwrap();
    assert!(begun.elapsed() < S, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_too_old_takes_its_watchers_along() {
    let stage = Stage::set(Duration::ZERO).await;
    let mut watch = stage.watch("").await;
    assert_eq!(watch.next().await, Some(SERVING));
    assert_eq!(watch.next().await, None);
    assert_eq!(stage.health.status(""), Some(Serving));
    assert_eq!(stage.watch("").await.next().await, Some(SERVING));
}

#[tokio::test(start_paused = true)]
async fn a_reporter_outlives_its_server_and_serves_the_next() {
    let stage = Stage::set(Duration::ZERO).await;
    stage.handle.stop();
    stage.handle.stopped().await;
    settle().await;
    assert_eq!(stage.health.status(""), Some(NotServing));
    stage.health.resume();
    let network = Network::new();
    let server = Server::builder().extension(stage.health).listen(network.listen(HERE)).bind().await.unwrap();
    let handle = server.handle();
    let run = tokio::spawn(server.run());
    let channel = Channel::builder(format!("ipv4:{HERE}")).connector(network).build().unwrap();
    let mut client = HealthClient::new(channel);
    assert_eq!(client.check(about("")).await.unwrap().into_inner().status(), SERVING);
    assert_eq!(client.check(about("a")).await.unwrap_err().code(), Code::NotFound);
    handle.stop();
    run.await.unwrap();
}
