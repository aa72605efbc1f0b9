//! Greeters on a network in memory, and channels to them.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use thalweg::{
    Channel, Server,
    channel::ChannelBuilder,
    core::endpoint::Endpoint,
    registry::Registry,
    resolver::{ResolverUpdate, manual::ManualResolver},
    server::{ServerBuilder, ServerHandle},
};
use thalweg_proto::demo::greeter_server::GreeterServer;
use thalweg_testkit::network::{Host, Network};
use tokio::task::JoinHandle;

use super::greeter::Backend;

pub(crate) const ONE: &str = "10.0.0.1:50051";
pub(crate) const TWO: &str = "10.0.0.2:50051";
pub(crate) const THREE: &str = "10.0.0.3:50051";
pub(crate) const FOUR: &str = "10.0.0.4:50051";

/// Has a channel balance over all of its backends.
pub(crate) const ROUND_ROBIN: &str = r#"{"loadBalancingConfig": [{"round_robin": {}}]}"#;

/// A network, and the name `names:fleet` that leads into it.
pub(crate) struct Fleet {
    pub(crate) network: Network,
    pub(crate) names: ManualResolver,
}

/// A greeter at work. Dropping it ends it without a word.
pub(crate) struct Running {
    pub(crate) host: Host,
    pub(crate) handle: ServerHandle,
    greeter: Backend,
    run: JoinHandle<()>,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        Self { network: Network::new(), names: ManualResolver::new("names") }
    }

    /// Starts a greeter, where it can be reached again if it could not.
    pub(crate) async fn start(&self, address: &'static str) -> Running {
        self.start_with(address, |builder| builder).await
    }

    pub(crate) async fn start_with(
        &self,
        address: &'static str,
        configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> Running {
        let (listener, greeter) = (self.network.listen(address), Backend::new(address));
        let host = listener.host().clone();
        host.heal();
        let builder = Server::builder().add_service(GreeterServer::new(greeter.clone())).listen(listener);
        let server = configure(builder).bind().await.unwrap();
        Running { host, handle: server.handle(), greeter, run: tokio::spawn(server.run()) }
    }

    /// A channel to `target` in this network.
    pub(crate) fn builder(&self, target: &str) -> ChannelBuilder {
        let registry = Registry::default().with_resolver(self.names.clone());
        Channel::builder(target).registry(registry).connector(self.network.clone())
    }

    /// A channel to one greeter.
    pub(crate) fn to_one(&self) -> Channel {
        self.builder(&format!("ipv4:{ONE}")).build().unwrap()
    }

    /// A channel that balances over these greeters in turn.
    pub(crate) fn to_each(&self, addresses: &[&str]) -> Channel {
        self.names.set(self.update(addresses));
        self.builder("names:fleet").default_service_config(ROUND_ROBIN).build().unwrap()
    }

    /// What a name resolves to, if these are its backends.
    pub(crate) fn update(&self, addresses: &[&str]) -> ResolverUpdate {
        let endpoints = addresses.iter().map(|address| Endpoint::new([self.network.host(address).address()])).collect();
        ResolverUpdate { endpoints, ..ResolverUpdate::default() }
    }
}

impl Running {
    /// How many calls its handlers have seen.
    pub(crate) fn calls(&self) -> usize {
        self.greeter.begun.load(Relaxed)
    }

    /// How many handlers are at work.
    pub(crate) fn present(&self) -> usize {
        self.greeter.present.load(Relaxed)
    }

    /// Kills it: connections are reset, and connecting is refused.
    pub(crate) fn kill(&self) {
        self.host.kill();
        self.run.abort();
    }

    /// Stops it gracefully: it ends when its calls have.
    pub(crate) async fn drain(&self) {
        self.handle.graceful_stop(Duration::from_secs(60)).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.run.abort();
    }
}
