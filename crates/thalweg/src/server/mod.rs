//! The server: listeners in, services that `tonic-prost-build` generates out.
//!
//! ```no_run
//! # async fn f(greeter: impl thalweg::server::Mountable) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use thalweg::Server;
//!
//! let server = Server::builder()
//!     .add_route("demo.Greeter", greeter) // or `.add_service(GreeterServer::new(greeter))`
//!     .listen("127.0.0.1:50051")
//!     .bind()
//!     .await?;
//! let signal = async { /* for instance: tokio::signal::ctrl_c().await */ };
//! server.run_until(signal, Duration::from_secs(30)).await;
//! # Ok(())
//! # }
//! ```
//!
//! A handler reaches its peer, its deadline and the trailing metadata by
//! [`ServerRequestExt`](crate::context::ServerRequestExt).
//!
//! Each connection is a task, and each call is one. A call that ends early, be it by its deadline (which covers the
//! response stream), because the client gave it up, or because the connection is lost, drops its handler at once. A
//! handler that panics ends its own call with INTERNAL.

mod builder;
mod call;
mod connection;
mod error;
mod extension;
mod hooks;
mod lifetime;
mod listen;
mod reply;
mod request_body;
mod router;
mod shutdown;

use std::{future::Future, sync::Arc, time::Duration};

use thalweg_core::endpoint::Address;
use tokio::sync::Semaphore;

use self::{
    connection::ConnectionRules,
    listen::{Bound, accept_all},
    shutdown::{Alive, Control},
};
use crate::rt::{self, Task};

pub use builder::ServerBuilder;
pub use error::ServerError;
pub use extension::Extension;
pub use listen::Listener;
pub use router::{BoxAnswer, Mountable, Routes};
pub use shutdown::ServerHandle;

/// A server that listens. It serves while [`run`](Self::run) or [`run_until`](Self::run_until) does.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<Bound>,
    rules: Arc<ConnectionRules>,
    room: Option<Arc<Semaphore>>,
    control: Arc<Control>,
    alive: Alive,
}

impl Server {
    /// Describes a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Where it listens, in the order in which the listeners were added, ports filled in. Listeners without an address (a
    /// stream of connections) are left out.
    #[must_use]
    pub fn local_addrs(&self) -> Vec<Address> {
        self.listeners.iter().filter_map(|bound| bound.local.clone()).collect()
    }

    /// The port of the first TCP listener.
    #[must_use]
    pub fn local_port(&self) -> Option<u16> {
        self.listeners.iter().find_map(|bound| match &bound.local {
            Some(Address::Tcp(address)) => Some(address.port()),
            _ => None,
        })
    }

    /// A handle that stops the server, for whoever does not run it.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        ServerHandle(Arc::clone(&self.control))
    }

    /// Serves until the server is stopped by its [handle](Self::handle), or until all its listeners and connections have
    /// ended by themselves. Dropping the future stops the server at once.
    pub async fn run(self) {
        let Self { listeners, rules, room, control, alive } = self;
        let _end = EndOfRun(Arc::clone(&control));
        let accept = |bound| {
            let accept = accept_all(bound, Arc::clone(&rules), room.clone(), control.watch(), alive.clone());
            rt::spawn(accept)
        };
        let _accepting: Vec<Task> = listeners.into_iter().map(accept).collect();
        drop(alive);
        control.ended().await;
    }

    /// Serves until `signal`, then stops gracefully: what is not done `within` this time is cut off. See
    /// [`ServerHandle::graceful_stop`].
    pub async fn run_until(self, signal: impl Future<Output = ()>, within: Duration) {
        let handle = self.handle();
        let stop = async {
            signal.await;
            handle.graceful_stop(within).await;
        };
        let run = self.run();
        tokio::pin!(stop, run);
        tokio::select! {
            () = &mut run => {}
            () = &mut stop => run.await,
        }
    }
}

/// Nobody is left to wait: whatever still runs is cut off.
struct EndOfRun(Arc<Control>);

impl Drop for EndOfRun {
    fn drop(&mut self) {
        self.0.cut();
    }
}
