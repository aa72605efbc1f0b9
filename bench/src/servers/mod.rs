//! The server process: the echo service on loopback, where it listens on stdout.

use std::net::{Ipv4Addr, SocketAddr};

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{error::Error, tls};

mod bare_echo;
mod echo;
mod raw_h2;
mod silent;
mod thalweg;
mod tonic;

/// What answers the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServerKind {
    /// The generated service on tonic's `Server`.
    Tonic,
    /// The generated service on thalweg's `Server`.
    Thalweg,
    /// The same with 100 calls on a connection.
    ThalwegNarrow,
    /// The same, each of which takes 10 ms.
    ThalwegSlow,
    /// The echo service by hand on the `h2` crate: no service, no codec.
    RawH2,
    /// The same by TLS.
    RawH2Tls,
    /// Accepts all calls and answers none, on the `h2` crate.
    Silent,
    /// Returns the bytes it gets: no HTTP/2.
    BareEcho,
}

/// What a server process is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub(crate) struct ServerArgs {
    /// What answers the calls.
    pub(crate) kind: ServerKind,
    /// Threads of the runtime; one means tokio's `current_thread`.
    #[arg(long, default_value_t = 1)]
    pub(crate) threads: usize,
    /// Where it listens; 0 means any free port.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
}

impl ServerArgs {
    /// A server on any free port.
    pub(crate) fn new(kind: ServerKind, threads: usize) -> Self {
        Self { kind, threads, port: 0 }
    }

    /// The arguments as the command line that parses into them.
    pub(crate) fn to_command_line(self) -> Vec<String> {
        let kind = self.kind.to_possible_value().expect("no kind is skipped");
        let (threads, port) = (self.threads.to_string(), self.port.to_string());
        ["server", kind.get_name(), "--threads", &threads, "--port", &port].map(str::to_owned).to_vec()
    }
}

/// What clients need to know of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Announcement {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The certificate it shows, PEM; none without TLS.
    pub(crate) certificate: Option<String>,
}

/// Listens, says where through `announce`, and serves for ever.
///
/// # Errors
///
/// The port is taken, or the server gives up.
pub(crate) fn run(args: ServerArgs, runtime: &Runtime, announce: impl FnOnce(&Announcement)) -> Result<(), Error> {
    // As a task, the accept loop runs on a worker, not on the thread that waits here.
    let serving = runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await.map_err(Error::io("listen"))?;
        let address = listener.local_addr().map_err(Error::io("local address"))?;
        let mut certificate = None;
        let serving = match args.kind {
            ServerKind::Tonic => tokio::spawn(tonic::serve(listener)),
            ServerKind::Thalweg => tokio::spawn(thalweg::serve(listener, thalweg::Manner::USUAL)),
            ServerKind::ThalwegNarrow => tokio::spawn(thalweg::serve(listener, thalweg::Manner::NARROW)),
            ServerKind::ThalwegSlow => tokio::spawn(thalweg::serve(listener, thalweg::Manner::SLOW)),
            ServerKind::RawH2 => tokio::spawn(raw_h2::serve(listener, None)),
            ServerKind::RawH2Tls => {
                let (acceptor, pem) = tls::acceptor()?;
                certificate = Some(pem);
                tokio::spawn(raw_h2::serve(listener, Some(acceptor)))
            }
            ServerKind::Silent => tokio::spawn(silent::serve(listener)),
            ServerKind::BareEcho => tokio::spawn(bare_echo::serve(listener)),
        };
        announce(&Announcement { address, certificate });
        Ok::<_, Error>(serving)
    })?;
    runtime.block_on(serving).map_err(|died| Error::io("the server")(died.into()))?
}
