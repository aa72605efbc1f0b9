//! The servers of the demo: backends on loopback TCP that can be drained, killed and brought back, what their name resolves
//! to, and one for foreign clients.

mod backend;
mod greeter;
mod guests;

use std::time::Duration;

use thalweg::{
    resolver::{ResolverUpdate, manual::ManualResolver},
    server::ServerError,
};

pub(super) use self::guests::Guests;
use self::{backend::Backend, greeter::Greeter};

/// What resolves to the backends of a [`Fleet`].
pub(super) const TARGET: &str = "fleet:///greeter";
/// The scheme of [`TARGET`].
const SCHEME: &str = "fleet";
/// How fast the first backends are; the next ones begin again. Those that are drained and killed first are slow enough to
/// have calls in their hands then.
const PACES: [Duration; 4] =
    [Duration::from_millis(20), Duration::from_millis(40), Duration::from_millis(10), Duration::from_millis(5)];

/// Several backends of different speed.
#[derive(Debug)]
pub(super) struct Fleet {
    backends: Vec<Backend>,
    resolver: ManualResolver,
}

impl Fleet {
    /// Starts so many backends.
    pub(super) async fn start(size: usize) -> Result<Self, ServerError> {
        let mut backends = vec![];
        for number in 0..size {
            backends.push(Backend::start(number, PACES[number % PACES.len()]).await?);
        }
        let fleet = Self { backends, resolver: ManualResolver::new(SCHEME) };
        fleet.resolve();
        Ok(fleet)
    }

    /// Resolves [`TARGET`] to the backends, wherever they are.
    pub(super) fn resolver(&self) -> ManualResolver {
        self.resolver.clone()
    }

    /// How many backends there are.
    pub(super) fn size(&self) -> usize {
        self.backends.len()
    }

    /// About how long the backend takes for a call.
    pub(super) fn pace(&self, backend: usize) -> Duration {
        PACES[backend % PACES.len()]
    }

    /// How many calls are in the backend's hands.
    pub(super) fn in_flight(&self, backend: usize) -> u64 {
        self.backends[backend].in_flight()
    }

    /// Stops a backend gracefully, as a deployment does: its clients hear GOAWAY, its calls finish.
    pub(super) async fn drain(&mut self, backend: usize) {
        self.backends[backend].drain().await;
    }

    /// Stops a backend at once, as a crash does.
    pub(super) async fn kill(&mut self, backend: usize) {
        self.backends[backend].kill().await;
    }

    /// Brings a backend back that was stopped: where it was or, if somebody else listens there by now, elsewhere.
    pub(super) async fn bring_back(&mut self, backend: usize) -> Result<(), ServerError> {
        let before = self.backends[backend].address();
        self.backends[backend].restart().await?;
        if self.backends[backend].address() != before {
            self.resolve();
        }
        Ok(())
    }

    /// Stops all backends gracefully.
    pub(super) async fn stop(mut self) {
        for backend in &mut self.backends {
            backend.drain().await;
        }
    }

    fn resolve(&self) {
        let endpoints = self.backends.iter().map(Backend::endpoint).collect();
        self.resolver.set(ResolverUpdate { endpoints, ..ResolverUpdate::default() });
    }
}
