//! gRPC's health service (doc/health-checking; `List`: A90): a server says which of its services take calls, and clients,
//! balancers and orchestrators keep away from those that don't.
//!
//! ```no_run
//! # use thalweg_proto::demo::greeter_server::{Greeter, GreeterServer};
//! # async fn f<G: Greeter>(greeter: G, signal: impl Future<Output = ()>) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use thalweg::Server;
//! use thalweg_services::health::{HealthReporter, ServingStatus};
//!
//! let health = HealthReporter::new(); // the server as a whole is SERVING
//! health.set_serving::<GreeterServer<G>>();
//! let server = Server::builder()
//!     .add_service(GreeterServer::new(greeter))
//!     .extension(health.clone()) // mounts the service; NOT_SERVING once the server begins to stop
//!     .drain_time(Duration::from_secs(5)) // what clients have to move away, before GOAWAY
//!     .listen("127.0.0.1:50051")
//!     .bind()
//!     .await?;
//!
//! // Whenever it changes:
//! health.set("thalweg.demo.v1.Greeter", ServingStatus::NotServing);
//! # server.run_until(signal, Duration::from_secs(30)).await;
//! # Ok(())
//! # }
//! ```
//!
//! A service can also follow what it stands on:
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! use std::time::Duration;
//! use thalweg_services::health::HealthReporter;
//! use tokio::sync::watch;
//!
//! let health = HealthReporter::new();
//!
//! // Whoever holds the connection to the database says whether it is there.
//! let (database, ready) = watch::channel(false);
//! health.follow("demo.Orders", ready);
//!
//! // Or somebody is asked.
//! # async fn ping() -> bool { true }
//! health.probe("demo.Stock", Duration::from_secs(5), || async { ping().await });
//! # drop(database);
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Messages and client are [`proto`].

mod board;
mod follow;
mod service;
mod status;
mod watcher;

use std::{fmt, sync::Arc, time::Duration};

use thalweg::server::{Extension, ServerBuilder};
use thalweg_proto::health::health_server::{Health, HealthServer};
use tokio::sync::watch;
use tonic::server::NamedService;

use self::{board::Board, service::HealthService};

pub use status::ServingStatus;
pub use thalweg_proto::health as proto;

/// Says how the services of a server are. Cheap to clone; all clones speak of the same services.
///
/// A service is known by its full name, `package.Service`, and the empty name is the server as a whole, which is SERVING
/// from the beginning. No other is known before somebody says how it is. Whatever is said, nobody who watches can hold it
/// up: a slow watcher gets the latest status when it comes round to it, and not those between.
///
/// Give a server its own reporter: when the server stops, the reporter is [shut down](Self::shutdown).
#[derive(Clone)]
pub struct HealthReporter(Arc<Board>);

impl Default for HealthReporter {
    fn default() -> Self {
        Self::new()
    }
}

impl HealthReporter {
    /// The server as a whole is SERVING, and nothing else is known.
    #[must_use]
    pub fn new() -> Self {
        let reporter = Self(Arc::default());
        reporter.set("", ServingStatus::Serving);
        reporter
    }

    /// The service to mount, for a server that is not to mark it NOT_SERVING when it stops, or that is not thalweg's;
    /// otherwise add the reporter as an [extension](ServerBuilder::extension).
    #[must_use]
    pub fn service(&self) -> HealthServer<impl Health> {
        HealthService::server(Arc::clone(&self.0))
    }

    /// Says how a service is, from now on: it no longer [follows](Self::follow) anything.
    pub fn set(&self, service: impl Into<String>, status: ServingStatus) {
        self.0.set(service.into(), status);
    }

    /// The service that is mounted as `S` takes calls: `set_serving::<GreeterServer<MyGreeter>>()`.
    pub fn set_serving<S: NamedService>(&self) {
        self.set(S::NAME, ServingStatus::Serving);
    }

    /// The service that is mounted as `S` takes no calls for now.
    pub fn set_not_serving<S: NamedService>(&self) {
        self.set(S::NAME, ServingStatus::NotServing);
    }

    /// Nothing is known of this service any longer: who asks is told NOT_FOUND, who watches SERVICE_UNKNOWN.
    pub fn clear(&self, service: &str) {
        self.0.clear(service);
    }

    /// How a service is; `None` if nothing is known of it.
    #[must_use]
    pub fn status(&self, service: &str) -> Option<ServingStatus> {
        self.0.status(service)
    }

    /// From now on a service is SERVING while `ready` holds `true`, and NOT_SERVING while it holds `false`. That ends when
    /// somebody else says how the service is, and with the last clone of this reporter.
    ///
    /// If the sender is dropped there is nobody left who knows: the service stays NOT_SERVING.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn follow(&self, service: impl Into<String>, ready: watch::Receiver<bool>) {
        follow::receiver(&self.0, &service.into(), ready);
    }

    /// From now on `probe` is asked whether a service is ready, at once and then `every` so often; while the last answer
    /// was yes, the service is SERVING. It is NOT_SERVING before the first answer, if the next question is due before the
    /// answer is there (which is then no longer waited for), and if `probe` panics. That ends as in [`follow`](Self::follow).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn probe<F, A>(&self, service: impl Into<String>, every: Duration, probe: F)
    where
        F: FnMut() -> A + Send + 'static,
        A: Future<Output = bool> + Send,
    {
        follow::probe(&self.0, &service.into(), every, probe);
    }

    /// All services are NOT_SERVING, and whatever is said from now on is ignored, until [`resume`](Self::resume). The
    /// streams of those who watch go on; they end when their server says GOAWAY.
    ///
    /// A server does this when it begins to stop, if the reporter is its [extension](ServerBuilder::extension).
    pub fn shutdown(&self) {
        self.0.shutdown();
    }

    /// Ends a [`shutdown`](Self::shutdown): all services are SERVING, but those that follow something, which are as that is
    /// now.
    pub fn resume(&self) {
        self.0.resume();
    }
}

impl Extension for HealthReporter {
    fn extend(self, server: ServerBuilder) -> ServerBuilder {
        server.add_service(self.service()).on_stop(move || self.shutdown())
    }
}

impl fmt::Debug for HealthReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HealthReporter").field(&self.0.list(usize::MAX)).finish()
    }
}
