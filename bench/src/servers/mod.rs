//! The server process: the echo service on loopback, its port on stdout.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::error::Error;

mod echo;
mod raw_h2;
mod thalweg;
mod tonic;

/// What answers the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServerKind {
    /// The generated service on tonic's `Server`.
    Tonic,
    /// The generated service on thalweg's `Server`.
    Thalweg,
    /// Returns the bytes it gets, by hand on the `h2` crate: no service, no codec.
    RawH2,
}

/// What a server process is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub(crate) struct ServerArgs {
    /// What answers the calls.
    pub(crate) kind: ServerKind,
    /// Threads of the runtime; one means tokio's `current_thread`.
    #[arg(long)]
    pub(crate) threads: usize,
}

impl ServerArgs {
    /// The arguments as the command line that parses into them.
    pub(crate) fn to_command_line(self) -> Vec<String> {
        let kind = self.kind.to_possible_value().expect("no kind is skipped");
        let threads = self.threads.to_string();
        ["server", kind.get_name(), "--threads", &threads].map(str::to_owned).to_vec()
    }
}

/// Listens on a free port, says which through `announce`, and serves for ever.
///
/// # Errors
///
/// There is no free port, or the server gives up.
pub(crate) fn run(args: ServerArgs, runtime: &Runtime, announce: impl FnOnce(SocketAddr)) -> Result<(), Error> {
    // As a task, the accept loop runs on a worker, not on the thread that waits here.
    let serving = runtime.block_on(async {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::io("listen"))?;
        announce(listener.local_addr().map_err(Error::io("local address"))?);
        Ok::<_, Error>(match args.kind {
            ServerKind::Tonic => tokio::spawn(tonic::serve(listener)),
            ServerKind::Thalweg => tokio::spawn(thalweg::serve(listener)),
            ServerKind::RawH2 => tokio::spawn(raw_h2::serve(listener)),
        })
    })?;
    runtime.block_on(serving).map_err(|died| Error::io("the server")(died.into()))?
}
